Feature: Funds confirmation
  A card issuer asks whether an account covers an amount, and learns yes or no and nothing else.

  Background:
    Given a CBPII and AISP with an authorised consent to confirm funds

  @BG-10 @RTS-36.1
  Scenario: An amount that the account covers
    When it asks whether the account covers 1.00 EUR
    Then the answer is yes

  @BG-10
  Scenario: An amount that it does not cover
    When it asks whether the account covers 99999999.00 EUR
    Then the answer is no

  @BG-10
  Scenario: Another account of the same PSU
    When it asks about an account that the consent does not name
    Then the question is refused

  @BG-10
  Scenario: After the consent was ended
    Given the card issuer has ended the consent
    When it asks whether the account covers 1.00 EUR
    Then the question is refused
