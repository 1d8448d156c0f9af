"""The demo county (示范县) and its simulator: calls actions as people do."""
