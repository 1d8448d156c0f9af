"""Tasks: who must act next and by when (待办与时钟). See docs/apps/worklist.md."""
