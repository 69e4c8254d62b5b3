package rest

import "context"

type userKey struct{}

// LocalUser is who asks where access is not controlled.
const LocalUser = "local"

// WithUser notes who asks.
func WithUser(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, userKey{}, name)
}

// User is who asks.
func User(ctx context.Context) string {
	if name, ok := ctx.Value(userKey{}).(string); ok {
		return name
	}
	return LocalUser
}
