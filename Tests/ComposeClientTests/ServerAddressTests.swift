import Testing

@testable import ComposeClient

@Suite("A server's address")
struct ServerAddressTests {
    @Test(
        "loses its trailing slashes and keeps its path",
        arguments: [
            ("http://127.0.0.1:5005", "http://127.0.0.1:5005"), ("https://odcs.example.org/", "https://odcs.example.org"),
            ("https://example.org/odcs//", "https://example.org/odcs"), ("http://[::1]:5005", "http://[::1]:5005"),
        ])
    func accepted(text: String, address: String) throws {
        #expect(try ServerAddress(text).description == address)
    }

    @Test(
        "is refused with the reason",
        arguments: [
            ("localhost:5005", "the server's address 'localhost:5005' does not begin with http:// or https://"),
            ("ftp://example.org", "the server's address 'ftp://example.org' does not begin with http:// or https://"),
            ("http://", "the server's address 'http://' names no host"),
            ("", "the server's address '' does not begin with http:// or https://"),
            ("http://h/?a", "the server's address 'http://h/?a' has a '?' or a '#' in it; only scheme, host, port and path belong there"),
            ("http://me:secret@h", "the server's address holds a user name or a password; the service takes a token instead"),
        ])
    func refused(text: String, message: String) {
        #expect(throws: ComposeClientError(.badAddress, message)) { try ServerAddress(text) }
    }
}

@Suite("Backoff")
struct BackoffTests {
    @Test("pauses double up to the longest, and end")
    func ceilings() {
        let backoff = Backoff(first: .seconds(1), factor: 2, longest: .seconds(5), retries: 5)
        #expect((0..<6).map(backoff.ceiling) == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5), nil])
    }

    @Test("a pause is between a half of the ceiling and all of it")
    func jitter() {
        let pauses = (0..<200).compactMap { _ in Backoff.call.pause(0) }
        #expect(pauses.count == 200)
        #expect(pauses.allSatisfy { $0 >= .milliseconds(125) && $0 <= .milliseconds(250) })
        #expect(Set(pauses).count > 1)
    }
}
