"""What holds for a route: its own word, else its deployment's, else what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.policies.model import MutualTls, TokenRule

if TYPE_CHECKING:
    from gateway.policies.bodies import DeploymentBody, RouteBody

DEFAULT_TRUST_STORE: Final = "tpp"


class Terms:
    """The terms of one route."""

    def __init__(self, deployment: DeploymentBody, route: RouteBody) -> None:
        self.deployment = deployment
        self.route = route

    def of(self, field: str, usual: Any = None) -> Any:  # noqa: ANN401 - as the field is declared in `PolicyBody`
        """Return what holds."""
        for body in (self.route, self.deployment):
            value = getattr(body, field)
            if value is not None:
                return value
        return usual

    def is_own(self, field: str) -> bool:
        """Whether the route says so itself."""
        return getattr(self.route, field) is not None

    @property
    def template(self) -> str:
        """The whole path: of a deployment with a prefix, `/` is the prefix itself."""
        prefix, path = self.deployment.path_prefix, self.route.path
        return prefix if prefix and path == "/" else prefix + path

    @property
    def mtls(self) -> MutualTls:
        """Whether a certificate is wanted."""
        return self.route.mtls or self.deployment.mtls

    @property
    def token(self) -> TokenRule:
        """Whether a token is wanted: scopes ask for one."""
        usual = TokenRule.REQUIRED if self.of("scopes") else TokenRule.OFF
        rule: TokenRule = self.of("token", usual)
        return rule

    @property
    def looks_at_certificates(self) -> bool:
        """Whether certificates are looked at."""
        return self.mtls is not MutualTls.OFF

    @property
    def looks_at_tokens(self) -> bool:
        """Whether tokens are looked at."""
        return self.token is not TokenRule.OFF
