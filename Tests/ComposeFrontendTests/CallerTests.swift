import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ComposeFrontend

/// Who a request comes from, and how much of a caller may wait.
@Suite(.timeLimit(.minutes(1))) struct CallerTests {
    private static let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#

    @Test("more than may wait of one address is refused with 429, and the sentence says what helps")
    func waiting() async throws {
        try await FrontendFixture.with(.live, configure: { $0.callers = CallerLimits(waitingComposes: 2) }) { frontend async throws in
            for _ in 1...2 { #expect(try await frontend.post(Self.body).status == 200) }
            let refused = try await frontend.post(Self.body)
            #expect(refused.status == 429)
            #expect(refused.headers[.retryAfter] == "60")
            #expect(
                try refused.message
                    == "2 composes that 127.0.0.1 asked for wait already, and more are not taken from one address. Ask again when some of them "
                    + "have begun, or cancel those that you do not need.")
            #expect(try await frontend.request(.delete, "/api/1/composes/1").status == 202)
            #expect(try await frontend.request(.patch, "/api/1/composes/1", "{}").status == 200)
            #expect(try await frontend.request(.patch, "/api/1/composes/1", "{}").status == 429)
        }
    }

    @Test("0 is no limit")
    func unlimited() async throws {
        try await FrontendFixture.with(.live) { frontend async throws in
            for _ in 1...20 { #expect(try await frontend.post(Self.body).status == 200) }
        }
    }

    @Test(
        "the caller is the other end of the connection, or who a trusted proxy says it is",
        arguments: [
            ("192.0.2.7", nil, "192.0.2.7"), ("192.0.2.7", "198.51.100.1", "192.0.2.7"), ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"), ("10.0.0.1", nil, "10.0.0.1"), ("10.0.0.1", "unknown", "10.0.0.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"), ("2001:db8:0:1:2:3:4:5", nil, "2001:db8:0:1::/64"),
            ("2001:db8::1", nil, "2001:db8:0:0::/64"), ("fd00::1", "2001:db8:0:1::9", "2001:db8:0:1::/64"),
        ] as [(String, String?, String)])
    func address(peer: String, forwarded: String?, expected: String) {
        var headers = HTTPFields()
        headers[HTTPField.Name("X-Forwarded-For")!] = forwarded
        let limits = CallerLimits(trustedProxies: ["10.0.0.1", "fd00::1"])
        #expect(CallerAddress(peer: peer, headers: headers, trustedProxies: limits.trustedProxies)?.text == expected)
    }
}
