"""Two-way referral (双向转诊) and the green channel: up to the hospital, back home, followed up, closed.

See docs/apps/referrals.md.
"""
