"""Two-way referral (双向转诊) and the green channel. See docs/apps/referrals.md."""
