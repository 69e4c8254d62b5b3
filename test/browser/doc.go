// Package browser walks the pages with a real Chromium, on runs that the real MLflow client
// logged, and checks what a person would. Nothing is in it but tests; without a browser or a
// client they are skipped, and say why.
package browser
