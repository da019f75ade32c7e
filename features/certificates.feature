Feature: Certificates decide who gets in
  A TPP shows who it is by the qualified certificate it presents, and a bank that refuses one says why,
  in an answer that can be read, so that the TPP can put it right.

  Background:
    Given a TPP with an authorised consent

  @TS119495-5 @RTS-34
  Scenario: The right certificate opens the door
    When it reads the accounts
    Then it sees the accounts of the consent

  @BG-14.11 @RTS-34
  Scenario Outline: <certificate>
    When it reads the accounts with <certificate>
    Then access is refused because <reason>
    And the refusal says what to do

    Examples: Certificates that prove nothing
      | certificate                                | reason                                       |
      | a copy of its certificate that signs itself | nobody who is trusted issued the certificate |
      | a copy of its certificate from a foreign CA | nobody who is trusted issued the certificate |
      | its seal certificate                       | the certificate is no QWAC                   |

    Examples: Certificates that the authority issued with a fault
      | certificate                    | reason                                       |
      | an expired certificate         | the certificate has expired                  |
      | a not-yet-valid certificate    | the certificate is not valid yet             |
      | a revoked certificate          | the certificate has been revoked             |
      | an unknown-issuer certificate  | nobody who is trusted issued the certificate |
      | a self-signed certificate      | nobody who is trusted issued the certificate |
      | a missing-qc certificate       | the certificate is no QWAC                   |
      | a qseal-as-qwac certificate    | the certificate is no QWAC                   |
      | a wrong-eku certificate        | the certificate is not meant for clients     |
      | a wrong-name certificate       | the TPP is not registered                    |

  @TS119495-5.1
  Scenario: A certificate whose roles are encoded flat is read in spite of it
    When it asks for a consent with a flat-encoded certificate
    Then the bank takes the consent down

  @RTS-34
  Scenario: Without a certificate there is nothing to talk about
    When it asks for a consent without a certificate
    Then the request is refused because no certificate was presented
    And the refusal says what to do

  @RFC9440-4
  Scenario: A certificate in a header is not a certificate
    When it reads the accounts without a certificate, but with its certificate in every header gateways have ever believed
    Then access is refused because the token is bound to a certificate and none was presented

  @RTS-34
  Scenario Outline: TLS <version> carries refusals as well as accounts
    When it reads the accounts over TLS <version>, with and without its certificate
    Then the one shows the accounts and the other says that the token is bound to a certificate and none was presented

    Examples:
      | version |
      | 1.2     |
      | 1.3     |
