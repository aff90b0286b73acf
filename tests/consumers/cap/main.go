// A web application by HashiCorp's cap, as the documentation of its package oidc has it.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/cap/oidc"
)

func main() {
	const redirect = "https://cap.example.com/callback"
	ca, err := os.ReadFile(os.Getenv("SSL_CERT_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	config, err := oidc.NewConfig(os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), oidc.ClientSecret(os.Getenv("CLIENT_SECRET")),
		[]oidc.Alg{oidc.RS256, oidc.ES256}, []string{redirect}, oidc.WithProviderCA(string(ca)))
	if err != nil {
		log.Fatal(err)
	}
	provider, err := oidc.NewProvider(config)
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Done()

	var requests sync.Map // by state
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {})
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		pkce, err := oidc.NewCodeVerifier()
		if err != nil {
			log.Fatal(err)
		}
		request, err := oidc.NewRequest(5*time.Minute, redirect, oidc.WithPKCE(pkce), oidc.WithScopes("openid", "profile", "email", "groups"))
		if err != nil {
			log.Fatal(err)
		}
		requests.Store(request.State(), request)
		url, err := provider.AuthURL(r.Context(), request)
		if err != nil {
			log.Fatal(err)
		}
		http.Redirect(w, r, url, http.StatusFound)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		state := r.URL.Query().Get("state")
		found, known := requests.LoadAndDelete(state)
		if !known {
			http.Error(w, "no such request", http.StatusForbidden)
			return
		}
		token, err := provider.Exchange(context.Background(), found.(oidc.Request), state, r.URL.Query().Get("code"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		var claims struct {
			Name string `json:"preferred_username"`
		}
		if err := token.IDToken().Claims(&claims); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Write([]byte("Hello, " + claims.Name))
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
