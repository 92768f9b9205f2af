import AsyncHTTPClient
import Koji
import NIOCore
import NIOHTTP1
import NIOPosix
import ScriptedHub
import Testing

/// The hub of the tests has to be one that can be trusted.
@Suite struct ScriptedHubTests {
    private func request(
        _ url: String, method: String = "GET", range: String? = nil, body: [UInt8]? = nil
    ) async throws -> (status: UInt, body: [UInt8]) {
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        if let range { request.headers.add(name: "range", value: range) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        return (response.status.code, [UInt8]((try await response.body.collect(upTo: 1 << 20)).readableBytesView))
    }

    @Test("what a real hub refuses is refused")
    func whatARealHubRefusesIs() async throws {
        try await ScriptedHub.with { hub in
            let read = try await request(hub.address)
            #expect(read.status == 405)
            for name in ["raw_empty", "raw_malformed", "raw_not_xmlrpc", "raw_doctype"] {
                #expect(try await request(hub.address, method: "POST", body: Recordings.request(name)).status == 400, "\(name)")
            }
            for name in ["raw_noparams", "raw_int_tag", "raw_bare_string_utf8"] {
                #expect(try await request(hub.address, method: "POST", body: Recordings.request(name)).status == 200, "\(name)")
            }
        }
    }

    @Test(
        "each recorded request has its recorded answer",
        arguments: Recordings.names.filter { !$0.hasPrefix("raw_") && !["getLastEvent", "multiCall"].contains($0) })
    func eachRecordedRequestHasItsRecorded(name: String) async throws {
        try await ScriptedHub.with { hub in
            let answer = try await request(hub.address, method: "POST", body: Recordings.request(name))
            #expect(answer.status == 200)
            #expect(answer.body == Recordings.response(name))
        }
    }

    @Test("arguments by name and by position are the same, and what a method does not take is a fault")
    func argumentsByNameAndByPosition() async throws {
        try await ScriptedHub.with { scripted in
            try await scripted.asked { hub in
                let byName = try await hub.call(XMLRPCCall("getFullInheritance", "f26-build", keywords: [.init("event", 10)]))
                #expect(try await hub.call(XMLRPCCall("getFullInheritance", "f26-build", 10)) == byName)
                #expect(try await hub.call(XMLRPCCall("getTag", "f26", false, nil)) == hub.call(XMLRPCCall("getTag", "f26")))
                for call in [
                    XMLRPCCall("getTag"), XMLRPCCall("getTag", "f26", keywords: [.init("colour", "red")]),
                    XMLRPCCall("getTag", 1, 2, 3, 4, 5),
                ] {
                    let error = try await #require(throws: KojiError.self) { try await hub.call(call) }
                    #expect(error.faultCode == KojiError.Fault.parameters)
                }
            }
        }
    }

    @Test("a test can say what is answered, and sees what is not recorded")
    func aTestCanSayWhatIs() async throws {
        try await ScriptedHub.with { scripted in
            scripted.answer(XMLRPCCall("getTag", "f99"), with: .value(["id": 99, "name": "f99"]))
            try await scripted.asked { hub in
                let tag = try await hub.getTag("f99")
                #expect(tag?.id == 99)
                #expect(try await hub.multiCall([XMLRPCCall("getTag", "f99")])[0].get()["id"] == 99)
                await #expect(throws: KojiError.self) { try await hub.listTagged("f26", package: "unheard-of") }
            }
            #expect(scripted.unrecorded.map(\.method) == ["listTagged"])
        }
    }

    @Test("files are handed out in part or as a whole, and counted")
    func filesAreHandedOutInPart() async throws {
        try await ScriptedHub.with { hub in
            let path = "packages/ed/1.14.3/1.fc26/x86_64/ed-1.14.3-1.fc26.x86_64.rpm"
            let whole = try await request("\(hub.topurl)/\(path)")
            #expect(whole.status == 200)
            #expect(whole.body.count == 6846)
            #expect(hub.fileBytes == 6846)
            hub.forget()
            let part = try await request("\(hub.topurl)/\(path)", range: "bytes=96-1095")
            #expect(part.status == 206)
            #expect(part.body == Array(whole.body[96..<1096]))
            #expect(try await request("\(hub.topurl)/\(path)", range: "bytes=-10").body == Array(whole.body.suffix(10)))
            #expect(try await request("\(hub.topurl)/\(path)", range: "bytes=6846-").status == 416)
            #expect(hub.fileBytesByPath == [path: 1010])
            #expect(hub.fileRequests.map(\.number) == [1, 2, 3])
            hub.behaveForFiles { _ in .wholeFile }
            #expect(try await request("\(hub.topurl)/\(path)", range: "bytes=96-1095").body == whole.body)
            #expect(try await request("\(hub.topurl)/packages/nothing").status == 404)
            #expect(try await request("\(hub.topurl)/packages").status == 404)
            // The build was moved to another volume; the tree has a link to it.
            let moved = "packages/bar-data/3/1.fc26/noarch/bar-data-3-1.fc26.noarch.rpm"
            #expect(try await request("\(hub.topurl)/\(moved)").status == 200)
        }
    }
}
