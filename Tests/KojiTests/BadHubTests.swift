import Koji
import ScriptedHub
import Synchronization
import SystemPackage
import Testing

@Suite struct BadHubTests {
    /// What a call of a hub that behaves so throws, and how often it was asked.
    private func failure(
        limits: KojiLimits = ScriptedHub.limits, _ behaviour: @escaping @Sendable (XMLRPCCall, Int) -> ScriptedHub.Behaviour,
        _ body: (KojiHub) async throws -> Void = { _ = try await $0.listTagged("f26-updates") }
    ) async throws -> (error: KojiError, calls: Int) {
        try await ScriptedHub.with { scripted in
            scripted.behave(behaviour)
            let error = try await #require(throws: KojiError.self) {
                try await scripted.asked(limits: limits) { hub in try await body(hub) }
            }
            let port = try #require(scripted.address.split(separator: ":").last?.prefix { $0.isNumber })
            #expect(!error.message.contains("/kojihub ") && error.message.hasSuffix("."))
            return (
                KojiError(error.code, error.message.replacing(port, with: "PORT"), isTransient: error.isTransient), scripted.calls.count
            )
        }
    }

    /// What the hub's description in messages is, once its port is hidden.
    private static let hub = "The Koji hub at http://127.0.0.1:PORT"

    @Test("a hub that is offline for a moment is asked again")
    func aHubThatIsOfflineFor() async throws {
        try await ScriptedHub.with { scripted in
            scripted.behave { _, number in number < 3 ? .reply(.fault(1014, "database outage")) : .answer }
            let builds = try await scripted.asked { hub in try await hub.listTagged("f26-updates") }
            #expect(builds.count == 7)
            #expect(scripted.calls.count == 3)
        }
    }

    @Test("a hub that stays offline is transient")
    func aHubThatStaysOfflineIs() async throws {
        let (error, calls) = try await failure { _, _ in .bytes(Recordings.response("raw_db_outage")) }
        #expect(error.message == "\(Self.hub) is offline: database outage.")
        #expect(error.code == .fault)
        #expect(error.isTransient)
        #expect(calls == 3)
    }

    @Test("any other fault is final")
    func anyOtherFaultIsFinal() async throws {
        let (error, calls) = try await failure { _, _ in .reply(.fault(1004, "tag permission required\n(user not logged in).")) }
        #expect(
            error.message == "\(Self.hub) refused the call listTagged: tag permission required (user not logged in) (fault 1004).")
        #expect(!error.isTransient)
        #expect(calls == 1)
    }

    @Test("a connection that ends is made again")
    func aConnectionThatEndsIsMade() async throws {
        let (error, calls) = try await failure { _, _ in .hangUp }
        #expect(error.message == "\(Self.hub) closed the connection before it answered listTagged.")
        #expect(error.isTransient)
        #expect(calls == 3)
    }

    @Test("a hub that does not listen")
    func aHubThatDoesNotListen() async throws {
        let address = try await ScriptedHub.with { $0.address }
        try await ScriptedHub.with { scripted in
            let error = try await #require(throws: KojiError.self) {
                try await scripted.asked(profile: KojiProfile(hub: address)) { try await $0.getLastEvent() }
            }
            #expect(error.message.hasSuffix(" does not accept connections."))
            #expect(error.isTransient)
            #expect(error.code == .unreachable)
        }
    }

    @Test("server errors are tried again, other refusals are not")
    func serverErrorsAreTriedAgainOther() async throws {
        let (error, calls) = try await failure { _, _ in .status(503) }
        #expect(error.message == "\(Self.hub) answered listTagged with the status 503 (Service Unavailable).")
        #expect(error.isTransient)
        #expect(calls == 3)
        let (forbidden, once) = try await failure { _, _ in .status(403) }
        #expect(forbidden.message.contains("it may want a client certificate"))
        #expect(once == 1)
        let (moved, _) = try await failure { _, _ in .status(302, headers: [("location", "https://koji.invalid/hub")]) }
        #expect(moved.message == "\(Self.hub) redirects to https://koji.invalid/hub; its address has to be the one that answers itself.")
        let (lost, _) = try await failure { _, _ in .status(404) }
        #expect(lost.message.hasSuffix("answered listTagged with the status 404 (Not Found): its address is not that of a hub."))
    }

    @Test("what a real hub says to a request that it does not read is passed on")
    func whatARealHubSaysTo() async throws {
        try await ScriptedHub.with { scripted in
            let error = try await #require(throws: KojiError.self) {
                // No call of ours is like that; a document type declaration is.
                try await scripted.asked { hub in try await hub.call(XMLRPCCall("getTag", "<!DOCTYPE a>", 1, 2, 3, 4)) }
            }
            #expect(error.faultCode == KojiError.Fault.parameters)
        }
    }

    @Test("a page of HTML is not an answer")
    func aPageOfHtmlIsNot() async throws {
        let page = Array("<!DOCTYPE html>\n<html><body>Down for maintenance</body></html>".utf8)
        for (bytes, type) in [(page, "text/html; charset=utf-8"), (page, "text/xml"), (Array("<HTML>".utf8), "text/plain")] {
            let (error, calls) = try await failure { _, _ in .bytes(bytes, contentType: type) }
            #expect(
                error.message
                    == "\(Self.hub) answered listTagged with a page of HTML: either its address is not that of the hub, which often ends in /kojihub, or something before the hub answered in its place."
            )
            #expect(error.code == .notKoji)
            #expect(calls == 1)
        }
    }

    @Test("half an answer is asked for again, and told when it stays one")
    func halfAnAnswerIsAskedFor() async throws {
        let (cut, calls) = try await failure { _, _ in .cut(after: 0.5) }
        #expect(cut.message == "\(Self.hub) broke off its answer to listTagged after 7225 bytes.")
        #expect(cut.code == .truncated)
        #expect(cut.isTransient)
        #expect(calls == 3)
        let (part, _) = try await failure { _, _ in .part(0.5) }
        #expect(part == cut)
        let (nothing, _) = try await failure { _, _ in .bytes([]) }
        #expect(nothing.message == "\(Self.hub) broke off its answer to listTagged after 0 bytes.")
    }

    @Test("rows of an answer that broke off do not count twice")
    func rowsOfAnAnswerThatBroke() async throws {
        try await ScriptedHub.with { scripted in
            scripted.behave { _, number in number < 3 ? .cut(after: 0.9) : .answer }
            let taken = Mutex(0)
            let count = try await scripted.asked { hub in
                try await hub.listTaggedRPMS("f26-updates", into: 0) { count, _ in
                    count += 1
                    taken.withLock { $0 += 1 }
                }
            }
            let whole = try await scripted.asked { try await $0.listTaggedRPMS("f26-updates", into: 0) { count, _ in count += 1 } }
            #expect(count == whole)
            #expect(taken.withLock { $0 } > count)
            #expect(try await scripted.asked { try await $0.listTagged("f26-updates").count } == 7)
        }
    }

    @Test("the taker of rows may end the call")
    func theTakerOfRowsMayEnd() async throws {
        struct Enough: Error {}
        try await ScriptedHub.with { scripted in
            await #expect(throws: Enough.self) {
                try await scripted.asked { hub in
                    try await hub.listTaggedRPMS("f26-updates", into: 0) { count, _ in
                        count += 1
                        if count == 3 { throw Enough() }
                    }
                }
            }
            #expect(scripted.calls.count == 1)
        }
    }

    @Test(
        "a hub that is silent before or in its answer ends the call",
        arguments: [
            (ScriptedHub.Behaviour.silence, "did not answer listTagged within N seconds"),
            (.stall(after: 0.5), "sent 7225 bytes of its answer to listTagged and then nothing for N seconds"),
        ])
    func silenceEndsTheCall(behaviour: ScriptedHub.Behaviour, words: String) async throws {
        let expected = "\(Self.hub) \(words)."
        let error = try await withGrowingLimit(from: .milliseconds(200), until: { (error: KojiError) in error.message == expected }) {
            limit in
            var limits = ScriptedHub.limits
            (limits.silence, limits.attempts) = (limit, 1)
            let (error, _) = try await failure(limits: limits) { _, _ in behaviour }
            let message = error.message.replacing(#/[0-9.]+ seconds?/#, with: "N seconds")
            return KojiError(error.code, message, isTransient: error.isTransient)
        }
        #expect(error.message == expected)
        #expect(error.isTransient)
    }

    @Test("an answer that does not end is given up after a while")
    func anAnswerThatDoesNotEnd() async throws {
        let start = Array(document("").prefix { $0 != UInt8(ascii: "\n") })
        let words = #/of its answer to listTagged after [0-9.]+ seconds?, and was not done/#
        let error = try await withGrowingLimit(from: .milliseconds(100), until: { (error: KojiError) in error.message.contains(words) }) {
            limit in
            var limits = ScriptedHub.limits
            (limits.wholeAnswer, limits.attempts) = (limit, 1)
            return try await failure(limits: limits) { _, _ in
                .stream { number in number == 0 ? start : Array(repeating: 0x20, count: 16384) }
            }.error
        }
        #expect(error.message.contains(words), "\(error.message)")
        #expect(error.isTransient)
    }

    @Test("an answer that is too large is not read to its end")
    func anAnswerThatIsTooLarge() async throws {
        let (announced, calls) = try await failure { _, _ in .stream(length: 1 << 31) { _ in Array(repeating: 0x20, count: 65536) } }
        #expect(
            announced.message
                == "\(Self.hub) announced an answer of 2147483648 bytes to listTagged; this service accepts at most 1073741824.")
        #expect(announced.code == .tooLarge)
        #expect(calls == 1)
        var limits = ScriptedHub.limits
        limits.answerBytes = 1 << 20
        let row = Array("<value><array><data>\n".utf8)
        let head = Array(document("").prefix { $0 != UInt8(ascii: "\n") } + "<methodResponse><params><param>".utf8)
        let (grown, _) = try await failure(limits: limits) { _, _ in
            .stream { number in number == 0 ? head + row : Array(repeating: 0x20, count: 65536) }
        }
        #expect(
            grown.message
                == "The answer of the Koji hub at http://127.0.0.1:PORT to listTagged cannot be used: it has more than 1048576 bytes, the most that this service accepts."
        )
    }

    @Test(
        "an answer of another form says what is wrong",
        arguments: [
            ("<value><int>1</int></value>", "it has an integer where a list of structs, each a build should be"),
            ("<value><struct></struct></value>", "it has a struct where a list of structs, each a build should be"),
            ("<value><array><data><value><nil/></value></data></array></value>", "it has nil where a build should be"),
            ("<value><array><data><value><struct></struct></value></data></array></value>", "it has a build without build_id"),
            (
                "<value><array><data><value><struct><member><name>build_id</name><value>12</value></member></struct></value></data></array></value>",
                "the member build_id of a build is a string instead of an integer"
            ),
            (
                "<value><array><data><value><struct><member><name>build_id</name><value><int>1x</int></value></member></struct></value></data></array></value>",
                "the member build_id of a build is \"1x\" instead of an integer"
            ),
            (
                "<value><array><data><value><struct><member><name>build_id</name><value><i8>9223372036854775808</i8></value></member></struct></value></data></array></value>",
                "the member build_id of a build is \"9223372036854775808\" instead of an integer"
            ),
        ])
    func anAnswerOfAnotherFormSays(value: String, reason: String) async throws {
        let (error, calls) = try await failure { _, _ in .bytes(document(value)) }
        #expect(error.message == "The answer of the Koji hub at http://127.0.0.1:PORT to listTagged cannot be used: \(reason).")
        #expect(error.code == .unexpected)
        #expect(!error.isTransient)
        #expect(calls == 1)
    }

    @Test(
        "what is not XML-RPC is refused and explained",
        arguments: [
            ("<value><decimal>1</decimal></value>", "it has the element <decimal>, which XML-RPC does not have", KojiError.Code.notKoji),
            ("<value><int>1</int><int>2</int></value>", "it has <int> where XML-RPC does not allow it, in <value>", .malformed),
            ("<value>1<int>2</int></value>", "it has a <value> with both text and <int>", .malformed),
            ("<int>1</int>", "it has <int> where XML-RPC does not allow it, in <param>", .malformed),
            ("<value><array></array></value>", "it has a <array> that is not complete", .malformed),
            ("<value><struct><member><name>a</name></member></struct></value>", "it has a <member> that is not complete", .malformed),
            (
                "<value><struct><member><value>1</value></member></struct></value>",
                "it has <value> where XML-RPC does not allow it, in <member>", .malformed
            ),
            ("<value><array><data>x</data></array></value>", "it has text between its values: \"x\"", .malformed),
            ("<value><boolean>2</boolean></value>", "it gives \"2\" as a boolean", .malformed),
            ("<value><int></int></value>", "it gives \"\" as an integer", .malformed),
            ("<value><base64>abc</base64></value>", "it gives \"abc\" as base64", .malformed),
            ("<value>&nbsp;</value>", "it refers to an entity that XML-RPC does not have (line 5)", .malformed),
            ("<value>\u{1}</value>", "it has a character that XML does not allow, or is not encoded in UTF-8 (line 5)", .malformed),
            ("<value>&#8;</value>", "it has a character that XML does not allow, or is not encoded in UTF-8 (line 5)", .malformed),
        ])
    func whatIsNotXmlRpcIs(value: String, reason: String, code: KojiError.Code) async throws {
        let (error, calls) = try await failure({ _, _ in .bytes(document(value)) }) { _ = try await $0.call(XMLRPCCall("echo")) }
        #expect(error.message == "The answer of the Koji hub at http://127.0.0.1:PORT to echo cannot be used: \(reason).")
        #expect(error.code == code)
        #expect(!error.isTransient)
        #expect(calls == 1)
    }

    @Test("garbage, bytes that are not UTF-8, other XML and document types are refused")
    func garbageBytesThatAreNotUtf() async throws {
        func reason(_ bytes: [UInt8]) async throws -> String {
            let (error, calls) = try await failure({ _, _ in .bytes(bytes) }) { _ = try await $0.call(XMLRPCCall("echo")) }
            #expect(calls == 1)
            return String(error.message.dropFirst("The answer of the Koji hub at http://127.0.0.1:PORT to echo cannot be used: ".count))
        }
        #expect(try await reason((0..<2000).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) }).hasPrefix("it is not well-formed XML (line 1"))
        #expect(
            try await reason(document("<value>#</value>").map { $0 == UInt8(ascii: "#") ? 0xFF : $0 })
                == "it has a character that XML does not allow, or is not encoded in UTF-8 (line 5).")
        #expect(
            try await reason(Array("<?xml version='1.0'?><methodCall></methodCall>".utf8))
                == "it has the root element <methodCall> instead of <methodResponse>.")
        #expect(
            try await reason(Array("<?xml version='1.0'?><rss></rss>".utf8)) == "it has the element <rss>, which XML-RPC does not have.")
        #expect(
            try await reason(Array("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'y'>]><methodResponse/>".utf8))
                == "it has a document type declaration, which XML-RPC does not allow.")
        #expect(
            try await reason(document("<value>1</value></param><param><value>2</value>")) == "it has 2 values instead of one.")
        #expect(
            try await reason(document("<value>a</wrong>")).hasPrefix("it is not well-formed XML (line 5"))
        #expect(
            try await reason(document("<value><int>1</int></value>") + Array("<more/>".utf8)).hasPrefix("it is not well-formed XML (line 9")
        )
    }

    @Test("what nests deep or has a long text is refused")
    func whatNestsDeepOrHasA() async throws {
        var limits = ScriptedHub.limits
        limits.depth = 10
        limits.textBytes = 10_000
        let deep =
            String(repeating: "<value><array><data>", count: 11) + String(repeating: "</data></array></value>", count: 11)
        let (error, _) = try await failure(limits: limits, { _, _ in .bytes(document(deep)) }) { _ = try await $0.call(XMLRPCCall("echo")) }
        #expect(error.message.hasSuffix("cannot be used: it nests values more than 10 deep."))
        #expect(error.code == .tooLarge)
        let long = "<value>\(String(repeating: "x", count: 10_001))</value>"
        let (other, _) = try await failure(limits: limits, { _, _ in .bytes(document(long)) }) { _ = try await $0.call(XMLRPCCall("echo")) }
        #expect(other.message.hasSuffix("cannot be used: it has a text of more than 10000 bytes."))
    }

    @Test("a fault of a defect tells the error and not the hub's files")
    func aFaultOfADefectTells() async throws {
        let text = "Traceback (most recent call last):\n  File \"/usr/lib/koji/x.py\", line 1, in y\n    z()\nValueError: no \u{1b}[1mgood"
        let (error, _) = try await failure { _, _ in .reply(.fault(1, text.replacing("\u{1b}", with: " "))) }
        #expect(error.message == "\(Self.hub) refused the call listTagged: ValueError: no [1mgood (fault 1).")
    }

    @Test("a call that is canceled says so")
    func aCallThatIsCanceledSays() async throws {
        try await ScriptedHub.with { scripted in
            let (asked, ask) = AsyncStream.makeStream(of: Void.self)
            scripted.behave { _, _ in
                ask.yield()
                return .silence
            }
            try await scripted.asked { hub in
                let task = Task { try await hub.getLastEvent() }
                for await _ in asked { break }
                task.cancel()
                let error = try await #require(throws: KojiError.self) { try await task.value }
                #expect(error.code == .canceled)
            }
        }
    }
}
