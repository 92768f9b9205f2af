import Koji
import ScriptedHub
import Testing

@Suite("Calls about the history of tags")
struct HistoryCallTests {
    /// Runs `body` with a hub that has the tags `base` (1) and `updates` (2), its child, and one build of
    /// `ed` in each.
    private func withHub(knowsLastChange: Bool = true, _ body: (KojiHub, ScriptedHub) async throws -> Void) async throws {
        try await ScriptedHub.with { scripted in
            let database = TagDatabase(knowsLastChange: knowsLastChange)
            scripted.answerEach { database.reply(to: $0) }
            // Each of these lines that changes a tag is an event, from 1 on.
            database.addTag(1, "base")
            database.addTag(2, "updates")
            database.setParents([1], of: 2)
            database.list("ed", in: 1)
            let (old, new) = (database.addBuild(of: "ed"), database.addBuild(of: "ed"))
            for build in [old, new] { database.importPackage("ed", "x86_64", into: build) }
            database.tag(old, into: 1)
            database.tag(new, into: 2)
            database.move(old, to: "vol2")
            database.untag(new, from: 2)
            try await scripted.asked { hub in try await body(hub, scripted) }
        }
    }

    @Test("the history of several tags, with one request")
    func historyOfEach() async throws {
        try await withHub { hub, scripted in
            let changes = try await hub.queryHistory(ofEach: [1, 2], afterEvent: 2)
            #expect(scripted.calls.map(\.method) == ["multiCall"])
            #expect(changes[0].map(\.table) == [.tagListing, .tagInheritance, .tagPackages])
            // The parent's history names the child whose parent it became.
            #expect(changes[0].map(\.tagID) == [1, 2, 1])
            #expect(changes[1].map(\.table) == [.tagListing, .tagInheritance])
            #expect(changes[1].map(\.createEvent) == [6, 3])
            #expect(changes[1].map(\.revokeEvent) == [8, nil])
            #expect(changes[1].map(\.packageName) == ["ed", nil])
        }
    }

    @Test("the last changes of a tag before events count those that are not in its history, and those of its parents")
    func lastChange() async throws {
        try await withHub { hub, scripted in
            let events = try await hub.tagLastChangeEvent(2, beforeEach: [nil, 8, 7, 6, 1])
            #expect(events == [8, 7, 6, 5, nil])
            #expect(scripted.calls.map(\.method) == ["multiCall"])
            #expect(try await hub.tagLastChangeEvent(1, beforeEach: [nil]) == [7])
            scripted.answerEach { $0.method == "tagLastChangeEvent" ? .value("soon") : nil }
            let error = await #expect(throws: KojiError.self) { try await hub.tagLastChangeEvent(1, beforeEach: [nil]) }
            #expect(error?.message.hasSuffix(" to tagLastChangeEvent cannot be used: it is not an event.") == true)
        }
    }

    @Test("a hub that does not know the last change of a tag answers a fault")
    func olderHub() async throws {
        try await withHub(knowsLastChange: false) { hub, _ in
            let error = await #expect(throws: KojiError.self) { try await hub.tagLastChangeEvent(2, beforeEach: [nil]) }
            #expect(error?.isRefusal == true)
        }
    }

    @Test("the packages of several names, with one request")
    func listOfEach() async throws {
        try await withHub { hub, scripted in
            let before = try await hub.listTaggedRPMS(
                2, ofEach: ["ed", "nothing"], event: 6, inherit: true, latest: true, arches: ["x86_64"])
            #expect(before.map(\.count) == [2, 0])
            let now = try await hub.listTaggedRPMS(2, ofEach: ["ed"], event: 8, inherit: true, latest: true, arches: ["x86_64"])
            #expect(scripted.calls.map(\.method) == ["multiCall", "multiCall"])
            guard case .build(let build)? = now.first?.last else { throw KojiError(.unexpected, "there is no build") }
            #expect(build.nvr == "ed-1-1")
            #expect(build.volumeName == "vol2")
        }
    }

    @Test("the scripted tables answer with members that the recorded hub has")
    func members() async throws {
        func members(_ value: XMLRPCValue?) -> Set<String> { if case .structure(let members)? = value { Set(members.keys) } else { [] } }
        try await withHub { hub, _ in
            let recordedHistory = try XMLRPCValue(parsing: Recordings.response("queryHistory"))["tag_listing"]?.array?.first
            let history = try await hub.call(
                XMLRPCCall("queryHistory", keywords: [.init("tables", ["tag_listing"]), .init("tag", 2), .init("afterEvent", 1)]))
            let row = history["tag_listing"]?.array?.first
            #expect(!members(row).isEmpty && members(row).isSubset(of: members(recordedHistory)))
            let recordedLists = try XMLRPCValue(parsing: Recordings.response("listTaggedRPMS_rpmsigs")).array
            let lists = try await hub.call(
                XMLRPCCall("listTaggedRPMS", 2, keywords: [.init("rpmsigs", true), .init("inherit", true)])
            ).array
            for index in 0..<2 {
                let row = lists?[index].array?.first
                #expect(!members(row).isEmpty && members(row).isSubset(of: members(recordedLists?[index].array?.first)))
            }
        }
    }
}
