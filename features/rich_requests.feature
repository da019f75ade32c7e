Feature: A TPP says what it wants, and the bank makes it
  Instead of making a consent first and asking for it by its id, a TPP may say in its authorization request what it wants.
  What it was granted has a name, by which the TPP asks about it and gives it back.

  Background:
    Given a registered AISP

  @RFC9396-3 @RFC9396-7
  Scenario: Access to one account
    When it asks for access to one account of a PSU, who approves
    Then it is told which consent it has, for that account
    And it sees the accounts of the consent

  @FAPI2-SP-5.3
  Scenario: The PSU picks the accounts at the bank
    When it asks for accounts, and the PSU picks one
    Then it is told which consent it has, for that account
    And it sees the accounts of the consent

  @RFC9396-5
  Scenario: Something that the bank does not know
    When it asks for something of an unknown kind
    Then the wish is refused with its place, and nothing is made

  @GM-5.2
  Scenario: The TPP asks for one more account
    Given it was granted access to one account, under a name
    When it asks to have another account added, and the PSU approves
    Then the grant is for both accounts, under its old name
    And the consent that it was for has ended

  @GM-6.5
  Scenario: The TPP gives its grant back
    Given it was granted access to one account, under a name
    When it revokes the grant
    Then its token opens nothing any more, and the consent is ended
    And the grant is unknown
