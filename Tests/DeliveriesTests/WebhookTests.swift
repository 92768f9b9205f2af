import Foundation
import Testing

@testable import Deliveries

/// The messages to webhooks: signatures as Standard Webhooks says, and the meaning of answers.
@Suite struct WebhookTests {
    @Test("a signature is that of the libraries of Standard Webhooks")
    func signature() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Data("{\"test\": 2432232314}".utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test(
        "a text without the prefix, that is not base64, or that is too short or too long is no secret",
        arguments: ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w"])
    func noSecret(text: String) {
        #expect(WebhookSecret(text) == nil)
    }

    @Test("an answer says whether a message was taken, will be taken later, or never")
    func answers() {
        for status in [200, 202, 204] { #expect(DeliveryAnswer(status: status) == .taken) }
        for status in [400, 413, 422] { #expect(DeliveryAnswer(status: status) == .refused("It answered \(status).")) }
        for status in [301, 302, 307, 308] {
            #expect(
                DeliveryAnswer(status: status)
                    == .refused("It answered \(status). Redirects are not followed: configure the address that it leads to."))
        }
        for status in [401, 403, 404, 405, 408, 409, 425, 429, 500, 502, 503, 504] {
            #expect(DeliveryAnswer(status: status, asked: .seconds(7)) == .busy("It answered \(status).", after: .seconds(7)))
        }
        #expect(DeliveryAnswer(status: 410) == .gone("It answered 410: it wants no messages any more."))
    }

    @Test("the name of a webhook shows none of the secrets in its address, and is another one for another secret")
    func names() {
        #expect(Webhook.name(of: "https://hooks.example.org/odcs") == "https://hooks.example.org/odcs")
        let names = ["a", "b"].map { Webhook.name(of: "https://me:pass\($0)@hooks.example.org/odcs?token=\($0)secret") }
        for name in names {
            #expect(name.hasPrefix("https://hooks.example.org/odcs "))
            #expect(!name.contains("secret") && !name.contains("pass"))
        }
        #expect(names[0] != names[1])
    }
}
