Feature: A PSU decides what a TPP may see
  The bank shows its customer who asks for what; the customer logs in, chooses, and confirms with a one-time password.

  Background:
    Given an AISP that has asked for a consent and sent the PSU to the bank

  @BG-6.3 @RTS-97
  Scenario: The PSU chooses one account and confirms
    When the PSU logs in, chooses one account and confirms with the one-time password
    Then the consent is valid
    And the TPP sees that account and no other

  @BG-6.3 @RFC6749-4.1.2.1
  Scenario: The PSU refuses
    When the PSU logs in and refuses
    Then the TPP is told that access was denied
    And the consent is rejected

  @RTS-4
  Scenario: A wrong one-time password confirms nothing
    When the PSU logs in, chooses one account and types a wrong one-time password
    Then the bank asks for the password again
    And the consent is not valid

  @RTS-4
  Scenario: Guessing one-time passwords is stopped
    When the PSU logs in, chooses one account and types wrong one-time passwords until the bank gives up
    Then no code reaches the TPP
    And the consent is not valid

  @RTS-4
  Scenario: A wrong login shows nothing
    When somebody tries to log in with a wrong password
    Then the bank shows no account
    And the consent is not valid

  @RFC7636-4.4 @RFC9207-2
  Scenario: The way back names the bank and answers the TPP's own question
    When the PSU approves
    Then the TPP finds its own state and the bank's name in the answer

  @RFC6749-4.1.2
  Scenario: A code works once
    Given the PSU has approved
    When the TPP exchanges the code twice
    Then the second exchange is refused

  @RFC7636-4.6
  Scenario: A code without its verifier is worth nothing
    Given the PSU has approved
    When the code is exchanged with another verifier
    Then the exchange is refused

  @BG-6.3.1
  Scenario: A consent can't end in the past
    When the TPP asks for a consent that ended yesterday
    Then the request is refused because the period lies in the past
