Feature: Signed requests
  A bank that wants seals takes nothing that isn't sealed, changed, or sealed by somebody else.

  Background:
    Given a TPP at a bank that wants signed requests

  @BG-12
  Scenario: A signed request is taken
    When it asks for a consent, signed
    Then the bank takes the consent

  @BG-12
  Scenario Outline: <kind>
    When it asks for a consent, <how>
    Then access is refused because <reason>

    Examples:
      | kind                         | how                                      | reason                             |
      | Without a signature          | unsigned                                 | the request is not signed          |
      | Changed on its way           | signed and changed afterwards            | the signature does not fit         |
      | With another TPP's seal      | signed by another TPP                    | the seal is somebody else's        |
      | With the QWAC for a seal     | signed with its website certificate      | the certificate is no QSealC       |
