import Koji
import ScriptedHub
import Synchronization
import SystemPackage

/// The recorded tag f26-updates at two events of its history; a test says when the second one comes.
///
/// In between libfoo, foo, bar and others became newer. ed and loop-a stayed as they were; loop-a comes from the parent, f26.
final class TagHistory: Sendable {
    static let before = 64
    static let after = 100

    let hub: ScriptedHub
    private let state = Mutex(State())

    private struct State {
        var lastEvent = before
        var isDeleted = false
        /// Koji's number of the tag.
        var id = 2
        /// The event before the minutes in which changes may come to light late; `nil`: the last one.
        var settledEvent: Int?
        var isBroken = false
        var isEmpty = false
        var deleted: [XMLRPCValue] = []
    }

    /// What the hub is asked, as it is asked.
    let calls: AsyncStream<XMLRPCCall>
    private let called: AsyncStream<XMLRPCCall>.Continuation

    init(_ hub: ScriptedHub) {
        self.hub = hub
        (calls, called) = AsyncStream.makeStream()
        answer(changed: false)
        hub.behave { [self] call, _ in behaviour(call) }
    }

    /// The tag changes.
    func advance() {
        state.withLock { $0.lastEvent = Self.after }
        answer(changed: true)
    }

    /// As ``advance()``, but it is the parent that changes, f26.
    func advanceParent() {
        state.withLock { $0.lastEvent = Self.after }
        answer(changed: false, inParent: true)
    }

    /// The tag is deleted, and so changes.
    func delete() {
        state.withLock { $0.isDeleted = true }
        answer(changed: true)
    }

    /// Another tag has the name from now on.
    func replace() { state.withLock { $0.id = 9 } }

    /// An event of another tag passes, and the tag's own last change, which may not be the last one to come to light, is after `settled`.
    func pass(settled: Int) {
        state.withLock {
            $0.lastEvent += 1
            $0.settledEvent = settled
        }
        hub.answer(XMLRPCCall("tagChangedSinceEvent", .int(settled), [2, 1]), with: .value(true))
    }

    /// A build that the tag had at its first event is deleted, once it changed.
    func delete(build name: String, version: String, release: String) {
        state.withLock {
            $0.deleted.append([
                "tag_id": 2, "tag.name": "f26-updates", "create_event": 50, "revoke_event": .int(Self.after), "build_id": 99,
                "build.state": 2,
                "name": .string(name), "version": .string(version), "release": .string(release),
            ])
        }
    }

    /// All builds of the tag are deleted.
    func empty() { state.withLock { $0.isEmpty = true } }

    /// From now on the hub has nothing but an error for anybody.
    func breakDown() { state.withLock { $0.isBroken = true } }

    func recover() { state.withLock { $0.isBroken = false } }

    /// What has changed since the first event: by calls of their own and in a multiCall alike.
    private func answer(changed: Bool, inParent parent: Bool = false) {
        for (tags, hasChanged) in [([2, 1], changed || parent), ([1, 2], changed || parent), ([2], changed), ([1], parent)] {
            func answer(_ event: Int, _ answer: Bool) {
                hub.answer(
                    XMLRPCCall("tagChangedSinceEvent", .int(event), .array(tags.map { .int($0) })), with: .value(.bool(answer)))
            }
            answer(Self.before, hasChanged)
            answer(Self.after, false)
        }
    }

    private func behaviour(_ call: XMLRPCCall) -> ScriptedHub.Behaviour {
        func keyword(_ name: String) -> XMLRPCValue? { call.keywords.last { $0.name == name }?.value }
        called.yield(call)
        let state = state.withLock(\.self)
        if state.isBroken { return .reply(.fault(1000, "Nobody is at home.")) }
        switch call.method {
        case "getTag" where call.arguments.first == "f26-updates":
            if state.isDeleted { return .reply(.value(.null)) }
            return .reply(.value(["id": .int(state.id), "name": "f26-updates", "arches": "x86_64 aarch64", "locked": false]))
        case "getTag" where call.arguments.first == "f26":
            return .reply(.value(["id": 1, "name": "f26", "arches": "x86_64 aarch64", "locked": false]))
        case "getLastEvent" where keyword("before") != nil:
            return .reply(.value(["id": .int(state.settledEvent ?? state.lastEvent), "ts": .double(1_795_247_000)]))
        case "getLastEvent": return .reply(.value(["id": .int(state.lastEvent), "ts": .double(1_795_247_700)]))
        case "getFullInheritance" where call.arguments.first == .int(2):
            return .bytes(Recordings.response("getFullInheritance_f26-updates"))
        case "getFullInheritance" where call.arguments.first == .int(1): return .reply(.value([]))
        case "queryHistory": return .reply(.value(["tag_listing": .array(state.deleted)]))
        case "listTaggedRPMS" where state.isEmpty: return .reply(.value([.array([]), .array([])]))
        case "listTaggedRPMS" where state.id != 2:
            // By the number of the tag that was pinned, since another one has the name.
            guard call.arguments.first == .int(2) else { return .reply(.fault(1000, "That is another tag.")) }
            return .reply(.value(KojiService.rows("listTaggedRPMS_event", arches: keyword("arch")?.array ?? [])))
        case "listTaggedRPMS":
            let isBefore = keyword("event")?.int.map { $0 < Self.after } ?? false
            let recording =
                isBefore ? "listTaggedRPMS_event" : keyword("rpmsigs") == true ? "listTaggedRPMS_rpmsigs" : "listTaggedRPMS_pungi"
            return .reply(.value(KojiService.rows(recording, arches: keyword("arch")?.array ?? [])))
        default: return .answer
        }
    }
}
