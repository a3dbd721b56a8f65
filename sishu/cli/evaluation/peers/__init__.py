"""Other people's libraries, asked what ours are asked. One module a library: it fails to import where that is missing."""
