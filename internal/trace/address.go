package trace

// The answers below tell where the files of traces are; see [rest.Addressed].

func (i *Info) visit(visit func(*string)) {
	if location, ok := i.Tags[locationTag]; ok {
		visit(&location)
		i.Tags[locationTag] = location
	}
}

// Addresses implements [rest.Addressed].
func (r *traceResponse) Addresses(visit func(*string)) { r.Trace.Info.visit(visit) }

// Addresses implements [rest.Addressed].
func (r *tracesResponse) Addresses(visit func(*string)) {
	for i := range r.Traces {
		r.Traces[i].Info.visit(visit)
	}
}

// Addresses implements [rest.Addressed].
func (r *infosResponse) Addresses(visit func(*string)) {
	for i := range r.Infos {
		r.Infos[i].visit(visit)
	}
}

// Addresses implements [rest.Addressed].
func (r *searchResponse) Addresses(visit func(*string)) {
	for i := range r.Traces {
		r.Traces[i].visit(visit)
	}
}
