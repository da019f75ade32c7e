Feature: Account information
  What the PSU has opened can be read, in full and exactly; what it has not opened does not exist.

  @BG-6.5
  Scenario: Accounts, balances and transactions
    Given a TPP with an authorised consent
    When it reads accounts, balances and transactions of the last 13 months
    Then every account has balances and a history
    And the transactions come newest first and lie within the period

  @BG-6.5
  Scenario: An account that the PSU has not opened does not exist
    Given a TPP with an authorised consent for one of several accounts
    When it asks for an account that is not in the consent
    Then access is refused because the consent is not valid

  @BG-6.5
  Scenario: Another TPP's accounts do not exist
    Given a TPP with an authorised consent
    When it asks for an account of another TPP's people
    Then access is refused because the account is not known

  @BG-6.3
  Scenario: A consent that the token does not stand for is of no use
    Given a TPP with an authorised consent
    When it names another consent than its token's
    Then access is refused because the named consent is not its token's

  @BG-6.3.1 @RTS-36.5
  Scenario: Without the PSU it is read as often as the consent allows
    Given a TPP with an authorised consent for two reads a day
    When it reads the accounts three times on its own
    Then the first two reads show the accounts
    And access is refused because it has been read too often today

  @RTS-36.5
  Scenario: With the PSU at hand it may be read more often
    Given a TPP with an authorised consent for two reads a day
    When it reads the accounts three times while the PSU is there
    Then all three reads show the accounts
