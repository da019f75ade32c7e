Feature: A token works with its certificate only
  A stolen token is worth nothing, because it is bound to the certificate of the TPP that it was issued to.

  Background:
    Given a TPP with an authorised consent

  @RFC8705-3
  Scenario: Over another TPP's certificate
    When another TPP presents its access token
    Then access is refused because the token is bound to a different certificate
    And the token is called invalid

  @RFC8705-3
  Scenario: Without any certificate
    When somebody presents its access token without a certificate
    Then access is refused because the token is bound to a certificate and none was presented
    And the token is called invalid

  @RFC8705-3 @RFC8705-6.2 @own-tpp
  Scenario: After the certificate was renewed
    Given the TPP has renewed its certificate
    When it presents the old token over the new certificate
    Then access is refused because the token is bound to a different certificate
    And a refreshed token works again under the same consent

  @RFC5280-5 @RTS-34 @own-tpp
  Scenario: When the certificate is revoked while a connection is open
    Given the TPP reads the accounts over an open connection
    When its certificate is revoked
    Then within a second access is refused because the certificate has been revoked

  @RFC8705-2.1
  Scenario: A refresh token is bound to its TPP
    When another TPP uses its refresh token
    Then the exchange is refused

  @RFC7662-2
  Scenario: Another TPP learns nothing about the token
    When another TPP looks into its access token
    Then it learns nothing

  @RFC6750-3.1
  Scenario: A made-up token
    When it presents a made-up token
    Then access is refused because the token is not known
