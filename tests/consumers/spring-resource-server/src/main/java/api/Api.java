package api;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Api {
    @GetMapping("/")
    String who(@AuthenticationPrincipal Jwt token) {
        return token.getSubject();
    }

    public static void main(String[] args) {
        SpringApplication.run(Api.class, args);
    }
}
