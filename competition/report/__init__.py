"""What people look at: self-contained pages with pictures, and what the tables about the public board say."""
