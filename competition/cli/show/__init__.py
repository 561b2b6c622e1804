"""Drawing: tables, live views, pictures in characters. stdout is data, stderr is talk."""
