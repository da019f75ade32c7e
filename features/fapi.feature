Feature: A client of the FAPI 2.0 profile
  Its authorization requests are pushed over the back channel, so that the browser carries a reference and nothing else; and
  it signs an assertion for each request, which is good for this bank alone and only once.

  Background:
    Given a TPP whose client speaks FAPI 2.0 and signs

  @RFC9126-2 @RFC7523-3
  Scenario: Access to accounts
    When a PSU approves its pushed request
    Then it sees the accounts of the consent

  @RFC9126-4 @FAPI2-SP-5.3.2.2
  Scenario: A reference is good for one authorization
    Given a PSU has approved its pushed request
    When the browser is sent with the same reference again
    Then the reference is refused because it was used before

  @FAPI2-SP-5.3.2.2
  Scenario: A request that was not pushed
    When the browser is sent with the request itself
    Then it is refused because it was not pushed

  @FAPI2-SP-5.3.2.1
  Scenario: An assertion that is meant for somebody else
    When it asks for a token with an assertion meant for another server
    Then the client is refused because of whom its assertion is meant for
