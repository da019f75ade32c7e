Feature: What was given can be taken back
  At once, for everybody, without a restart.

  Background:
    Given a TPP with an authorised consent

  @RFC7009-2
  Scenario: The TPP hands back its token
    When it revokes its access token
    Then within a second access is refused because the token has been revoked

  @RFC7009-2.1
  Scenario: Nobody revokes another TPP's token
    When another TPP revokes its access token
    Then the revocation is refused
    And it still sees the accounts of the consent

  @BG-6.3.4
  Scenario: The TPP ends the consent
    When it ends the consent
    Then the consent is terminated by the TPP
    And reading the accounts is refused

  @BG-6.3.3
  Scenario: Nobody ends another TPP's consent
    When another TPP ends the consent
    Then the request is refused because the consent is not known
    And it still sees the accounts of the consent

  @RFC5280-5.3.1 @own-tpp
  Scenario: The authority revokes the certificate
    When its certificate is revoked
    Then within a second access is refused because the certificate has been revoked
    And the published list of revoked certificates names it

  @own-tpp
  Scenario: The operator blocks the TPP
    When the operator blocks it
    Then within a second access is refused because the certificate is blocked

  @own-tpp
  Scenario: The operator lets a blocked TPP in again
    Given the operator has blocked it
    When the operator lets it in again
    Then within a second it sees the accounts of the consent
