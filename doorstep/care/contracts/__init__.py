"""Family-doctor contracts (家庭医生签约): 1+2+3 with a team, its states and benefits. See docs/apps/contracts.md."""
