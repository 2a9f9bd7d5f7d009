"""Where rows come from: tables on disk, named sets, and the disjoint parts of both."""
