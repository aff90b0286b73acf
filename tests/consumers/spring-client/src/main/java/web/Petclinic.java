package web;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Petclinic {
    @GetMapping("/")
    String home(@AuthenticationPrincipal OidcUser person) {
        return "Welcome, " + person.getName();
    }

    public static void main(String[] args) {
        SpringApplication.run(Petclinic.class, args);
    }
}
