"""Pages of referrals: the sender's, the referral office's, the specialist's, the receiver's, and the printed forms."""
