"""Pages to look at: pictures drawn with matplotlib, put into one HTML file that needs nothing else."""
