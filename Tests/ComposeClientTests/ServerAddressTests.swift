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

@Suite("Retry schedules")
struct RetryScheduleTests {
    @Test("a call is repeated three times, after pauses of at most two seconds together")
    func call() {
        #expect((1...4).map { RetrySchedule.call.pause(after: $0) != nil } == [true, true, true, false])
        #expect((1...3).compactMap(RetrySchedule.call.pause).reduce(.zero, +) <= .seconds(2))
    }
}
