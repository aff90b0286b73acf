// A web application by go-oidc and golang.org/x/oauth2, as the example "idtoken" of go-oidc has it, with PKCE.
package main

import (
	"context"
	"crypto/rand"
	"log"
	"net/http"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	config := oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint:     provider.Endpoint(),
		RedirectURL:  "https://go-oidc.example.com/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", "groups"},
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: config.ClientID})

	remember := func(w http.ResponseWriter, name, value string) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, MaxAge: 600, Secure: true, HttpOnly: true})
	}
	remembered := func(r *http.Request, name string) string {
		cookie, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return cookie.Value
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {})
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		state, nonce, pkce := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
		remember(w, "state", state)
		remember(w, "nonce", nonce)
		remember(w, "pkce", pkce)
		http.Redirect(w, r, config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(pkce)), http.StatusFound)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		refuse := func(why string) { http.Error(w, why, http.StatusForbidden) }
		if r.URL.Query().Get("state") != remembered(r, "state") {
			refuse("state did not match")
			return
		}
		token, err := config.Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(remembered(r, "pkce")))
		if err != nil {
			refuse(err.Error())
			return
		}
		raw, _ := token.Extra("id_token").(string)
		idToken, err := verifier.Verify(r.Context(), raw)
		if err != nil {
			refuse(err.Error())
			return
		}
		if idToken.Nonce != remembered(r, "nonce") {
			refuse("nonce did not match")
			return
		}
		var claims struct {
			Name   string   `json:"preferred_username"`
			Groups []string `json:"groups"`
		}
		if err := idToken.Claims(&claims); err != nil {
			refuse(err.Error())
			return
		}
		w.Write([]byte("Hello, " + claims.Name))
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
