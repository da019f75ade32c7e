Feature: A client of FAPI 2.0 Message Signing
  What it asks for is signed by the TPP, what it is answered is signed by the bank, so that either can prove later what was said;
  and its tokens are bound to a key of its own.

  Background:
    Given a TPP whose client signs its requests and takes signed answers

  @FAPI2-MS-5.3 @FAPI2-MS-5.4 @RFC9449-7.1
  Scenario: Access to accounts
    When a PSU approves its signed request
    Then the bank has signed its answer
    And it sees the accounts of the consent

  @FAPI2-MS-5.3
  Scenario: A request that is not signed
    When it pushes its request unsigned
    Then the request is refused because the request object is missing

  @RFC9449-7.2
  Scenario: A token that is bound to a key, without the key
    Given a PSU has approved its signed request
    When somebody sends its token as a Bearer token
    Then access is refused because the token is bound to a key

  @RFC9421-3.2 @RFC9421-2.4
  Scenario: Account data, signed by both sides
    Given a PSU has approved its signed request
    When it reads its accounts by a request that it signs
    Then the bank has signed the accounts, as its answer to that request

  @RFC9421-7.5.7
  Scenario: A signed request that somebody changes on the way
    Given a PSU has approved its signed request
    When somebody on the way asks for more than it has signed
    Then access is refused because the request is not what was signed
