Feature: The PSU decides in its bank app, and the token works with the TPP's key only
  A TPP without a browser has the bank ask the PSU, and polls until it has decided. Its tokens can be bound to a key of its own:
  who has the token without the key has nothing.

  Background:
    Given a TPP that asks PSUs in their bank app

  @CIBA-7 @CIBA-11
  Scenario: The TPP polls until the PSU has approved
    Given it has asked a PSU for access to its accounts
    When it polls before the PSU has decided, and after the PSU has approved
    Then it was told to wait first, and got a token then

  @RFC9449-5 @RFC9449-7
  Scenario: A token that is bound to a key
    Given it was given a token that is bound to its key
    When it reads the accounts with a proof by its key
    Then it sees the accounts

  @RFC9449-7
  Scenario: A stolen token without the key
    Given it was given a token that is bound to its key
    When its token is presented with a proof by another key
    Then access is refused because the token is bound to another key
    And it is told to come with a proof

  @RFC9449-11.1
  Scenario: A proof that was overheard
    Given it was given a token that is bound to its key
    When it reads the accounts twice with the same proof
    Then access is refused because the proof has been used before
