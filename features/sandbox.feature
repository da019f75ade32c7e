Feature: The sandbox's levers
  Time, faults and whole states of a TPP's own bank are the TPP's to move, and nobody else's.

  @BG-6.3.1
  Scenario: Consents end with the bank's own time
    Given a TPP with a bank of its own and an authorised consent for 30 days
    When 31 days pass
    Then the consent is expired

  Scenario: Another TPP's time stands still
    Given a TPP with a bank of its own and an authorised consent for 30 days
    When 31 days pass
    Then it is still today at another TPP's bank

  Scenario: A snapshot brings everything back, time too
    Given a TPP with a bank of its own and an authorised consent for 30 days
    And a snapshot of the bank
    And 31 days have passed
    When the TPP restores the snapshot
    Then the consent is valid

  Scenario: A provoked fault comes as often as it was asked for
    Given a TPP with a bank of its own and an authorised consent for 30 days
    When the bank is told to fail twice and the accounts are read three times
    Then two answers are failures, and the third shows the accounts

  @BG-7.2
  Scenario: A bank without OAuth opens accounts to certificate and consent
    Given a TPP at a bank that lets it pass on the PSU's password and code
    When the PSU authorises a consent through it
    Then the accounts can be read without a token

  Scenario: The usual bank does not
    Given a TPP with a bank of its own and an authorised consent for 30 days
    When it reads the accounts without a token
    Then access is refused because there is no token
