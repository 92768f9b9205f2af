/// A tag, build or package as the hub lets it be named: by its name, or by its number.
public enum KojiName: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case name(String)
    case id(Int)

    public init(stringLiteral value: String) { self = .name(value) }
    public init(integerLiteral value: Int) { self = .id(value) }

    var value: XMLRPCValue {
        switch self {
        case .name(let name): .string(name)
        case .id(let id): .int(id)
        }
    }
}

// The hub, its events and its tags.
extension KojiHub {
    public func getAPIVersion() async throws(KojiError) -> Int {
        let call = XMLRPCCall("getAPIVersion")
        guard let version = try await self.call(call).int else { throw unexpected(call.method, "it is not an integer") }
        return version
    }

    /// For example "1.35.3".
    public func getKojiVersion() async throws(KojiError) -> String {
        let call = XMLRPCCall("getKojiVersion")
        guard let version = try await self.call(call).string else { throw unexpected(call.method, "it is not a string") }
        return version
    }

    /// The last event, or the last one before a moment, in seconds since 1970.
    public func getLastEvent(before: Double? = nil) async throws(KojiError) -> KojiEvent {
        try await certainRow(XMLRPCCall("getLastEvent").with("before", before.map { .double($0) }))
    }

    /// Throws a fault when there is no such event.
    public func getEvent(_ id: Int) async throws(KojiError) -> KojiEvent {
        try await certainRow(XMLRPCCall("getEvent", .int(id)))
    }

    /// The tag; `nil` when there is none of the name, or was none at the event.
    public func getTag(_ tag: KojiName, event: Int? = nil) async throws(KojiError) -> KojiTag? {
        try await row(XMLRPCCall("getTag", tag.value).with("event", event.map { .int($0) }))
    }

    /// As ``getTag(_:event:)`` for each, with few requests.
    public func getTags(_ tags: [KojiName], event: Int? = nil) async throws(KojiError) -> [KojiTag?] {
        let calls = tags.map { XMLRPCCall("getTag", $0.value).with("event", event.map { .int($0) }) }
        var found: [KojiTag?] = []
        for answer in try await multiCall(calls) { found.append(try row(in: answer.get(), of: "getTag")) }
        return found
    }

    /// The tag as it was before it was deleted, or as it is. `nil` when there never was one of the name.
    public func getTagEvenIfDeleted(_ tag: KojiName) async throws(KojiError) -> KojiTag? {
        try await row(XMLRPCCall("getTag", tag.value).with("event", "auto"))
    }

    /// The parents of a tag and theirs, in the order in which they are searched. Throws a fault when there is no such tag.
    public func getFullInheritance(_ tag: KojiName, event: Int? = nil) async throws(KojiError) -> [KojiInheritance] {
        try await rows(XMLRPCCall("getFullInheritance", tag.value).with("event", event.map { .int($0) }))
    }

    /// Whether one of the tags changed after the event. Parents have to be among them to count, and signatures are not changes of a tag.
    public func tagChangedSinceEvent(_ event: Int, tags: [Int]) async throws(KojiError) -> Bool {
        // An empty list is more than the hub's database can take.
        if tags.isEmpty { return false }
        let call = XMLRPCCall("tagChangedSinceEvent", .int(event), .array(tags.map { .int($0) }))
        guard let changed = try await self.call(call).bool else { throw unexpected(call.method, "it is not a boolean") }
        return changed
    }

    /// As ``tagChangedSinceEvent(_:tags:)``, for many events and lists of tags, none of which may be empty, with few requests.
    public func tagChangedSinceEvent(each questions: [(event: Int, tags: [Int])]) async throws(KojiError) -> [Bool] {
        let calls = questions.map { XMLRPCCall("tagChangedSinceEvent", .int($0.event), .array($0.tags.map { .int($0) })) }
        var answers: [Bool] = []
        for result in try await multiCall(calls) {
            guard let changed = try result.get().bool else { throw unexpected("tagChangedSinceEvent", "it is not a boolean") }
            answers.append(changed)
        }
        return answers
    }

    /// The changes of one tag, or of all, that became true or ceased to be true after an event and before another one.
    public func queryHistory(
        tag: KojiName? = nil, tables: [KojiTagChange.Table] = KojiTagChange.Table.allCases, afterEvent: Int, beforeEvent: Int? = nil
    ) async throws(KojiError) -> [KojiTagChange] {
        let call = XMLRPCCall("queryHistory").with("tables", .array(tables.map { .string($0.rawValue) })).with("tag", tag?.value)
            .with("afterEvent", .int(afterEvent)).with("beforeEvent", beforeEvent.map { .int($0) })
        guard case .structure(let rowsOfTables) = try await self.call(call) else { throw unexpected(call.method, "it is not a struct") }
        var changes: [KojiTagChange] = []
        for table in tables {
            guard let rows = rowsOfTables[table.rawValue] else { continue }
            for var change in try self.rows(in: rows, of: call.method, as: KojiTagChange.self) {
                change.table = table
                changes.append(change)
            }
        }
        return changes
    }

    /// The builds in a tag. Throws a fault when there is no such tag.
    /// - Parameters:
    ///   - inherit: also those of its parents.
    ///   - latest: of each package only the build that was tagged last, which need not be the highest version.
    ///   - type: only builds of that type: "module".
    public func listTagged(
        _ tag: KojiName, event: Int? = nil, inherit: Bool = false, latest: Bool = false, package: String? = nil, type: String? = nil
    ) async throws(KojiError) -> [KojiBuild] {
        try await rows(
            XMLRPCCall("listTagged", tag.value).with("event", event.map { .int($0) }).with("inherit", inherit ? true : nil)
                .with("latest", latest ? true : nil).with("package", package.map { .string($0) }).with("type", type.map { .string($0) }))
    }

    /// The packages of the builds in a tag and then the builds, one row at a time while the answer arrives: that of a large tag has a hundred
    /// megabytes. Throws a fault when there is no such tag.
    /// - Parameters:
    ///   - arches: only packages of these, which have to include `noarch` and `src` where they are wanted; `nil` for all.
    ///   - rpmsigs: one row for each signature of a package, and one with the key "".
    ///   - initial: what the rows are taken into; when an answer breaks off, the next attempt begins with it again.
    ///   - take: is called for each row, and may throw to end the call.
    public func listTaggedRPMS<Result: Sendable>(
        _ tag: KojiName, event: Int? = nil, inherit: Bool = false, latest: Bool = false, package: String? = nil, arches: [String]? = nil,
        rpmsigs: Bool = false, into initial: Result, _ take: @escaping @Sendable (inout Result, TaggedRow) throws -> Void
    ) async throws -> Result {
        let call = XMLRPCCall("listTaggedRPMS", tag.value).with("event", event.map { .int($0) }).with("inherit", inherit ? true : nil)
            .with("latest", latest ? true : nil).with("package", package.map { .string($0) })
            .with("arch", arches.map { .array($0.map { .string($0) }) }).with("rpmsigs", rpmsigs ? true : nil)
        return try await taggedRows(call, into: initial, take)
    }
}
