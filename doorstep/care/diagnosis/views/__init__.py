"""Pages of the ECG centre, by who looks: the village, the reader, everybody with a report, the line of duty, a stranger."""
