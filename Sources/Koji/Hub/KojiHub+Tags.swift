/// A reference to a tag, build or package by its name or by its number. The hub accepts both.
///
/// Example: `"ed-1.14.2-2.fc26"` or `6`
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
    /// Returns the last event, or the last one before a moment.
    ///
    /// - Parameter before: Seconds since 1970.
    public func getLastEvent(before: Double? = nil) async throws(KojiError) -> KojiEvent {
        try await certainRow(XMLRPCCall("getLastEvent").with("before", before.map { .double($0) }))
    }

    /// Returns a tag, or `nil` when it does not exist or did not exist at the event.
    public func getTag(_ tag: KojiName, event: Int? = nil) async throws(KojiError) -> KojiTag? {
        try await row(XMLRPCCall("getTag", tag.value).with("event", event.map { .int($0) }))
    }

    /// Returns the result of ``getTag(_:event:)`` for each tag, with few requests.
    public func getTags(_ tags: [KojiName], event: Int? = nil) async throws(KojiError) -> [KojiTag?] {
        let calls = tags.map { XMLRPCCall("getTag", $0.value).with("event", event.map { .int($0) }) }
        var found: [KojiTag?] = []
        for answer in try await multiCall(calls) { found.append(try row(in: answer.get(), of: "getTag")) }
        return found
    }

    /// Returns the direct and indirect parents of a tag, in the order in which Koji searches them. Throws a
    /// fault when the tag does not exist.
    public func getFullInheritance(_ tag: KojiName, event: Int? = nil) async throws(KojiError) -> [KojiInheritance] {
        try await rows(XMLRPCCall("getFullInheritance", tag.value).with("event", event.map { .int($0) }))
    }

    /// Returns whether one of the tags changed after the event.
    ///
    /// A change of a parent counts only if the parent is one of `tags`. A new signature is not a change of
    /// a tag.
    public func tagChangedSinceEvent(_ event: Int, tags: [Int]) async throws(KojiError) -> Bool {
        // The hub's database does not accept an empty list.
        if tags.isEmpty { return false }
        let call = XMLRPCCall("tagChangedSinceEvent", .int(event), .array(tags.map { .int($0) }))
        guard let changed = try await self.call(call).bool else { throw unexpected(call.method, "it is not a boolean") }
        return changed
    }

    /// Returns the result of ``tagChangedSinceEvent(_:tags:)`` for many events and lists of tags, with few
    /// requests. No list may be empty.
    public func tagChangedSinceEvent(each questions: [(event: Int, tags: [Int])]) async throws(KojiError) -> [Bool] {
        let calls = questions.map { XMLRPCCall("tagChangedSinceEvent", .int($0.event), .array($0.tags.map { .int($0) })) }
        var answers: [Bool] = []
        for result in try await multiCall(calls) {
            guard let changed = try result.get().bool else { throw unexpected("tagChangedSinceEvent", "it is not a boolean") }
            answers.append(changed)
        }
        return answers
    }

    /// Returns the entry of a package in the list of a tag and of the tags that it inherits from. The list
    /// is empty if none of them lists the package. Throws a fault when the tag or the package does not
    /// exist.
    public func listPackages(of tag: KojiName, named package: String, event: Int?) async throws(KojiError) -> [KojiListedPackage] {
        try await rows(
            XMLRPCCall("listPackages").with("tagID", tag.value).with("pkgID", .string(package)).with("inherited", true)
                .with("event", event.map { .int($0) }))
    }

    /// Returns the builds in a tag. Throws a fault when the tag does not exist.
    ///
    /// - Parameters:
    ///   - inherit: Whether builds of the tag's parents are included.
    ///   - latest: Whether only one build of each package is returned: the one that was tagged last, which
    ///     is not always the highest version.
    ///   - type: Only builds of this type. Example: "module".
    public func listTagged(
        _ tag: KojiName, event: Int? = nil, inherit: Bool = false, latest: Bool = false, package: String? = nil, type: String? = nil
    ) async throws(KojiError) -> [KojiBuild] {
        try await rows(
            XMLRPCCall("listTagged", tag.value).with("event", event.map { .int($0) }).with("inherit", inherit ? true : nil)
                .with("latest", latest ? true : nil).with("package", package.map { .string($0) }).with("type", type.map { .string($0) }))
    }

    /// Reads the packages of the builds in a tag, and then the builds. Each row is processed while the
    /// answer arrives, because the answer for a large tag has a hundred megabytes. Throws a fault when the
    /// tag does not exist.
    ///
    /// - Parameters:
    ///   - arches: Only packages of these architectures, or `nil` for all. `noarch` and `src` must be
    ///     listed to be included.
    ///   - rpmsigs: Whether there is one row for each signature of a package, and one with the key "".
    ///   - initial: The value that the rows are added to. When an answer breaks off, the next attempt
    ///     begins with it again.
    ///   - take: Called for each row. It may throw to end the call.
    public func listTaggedRPMS<Result: Sendable>(
        _ tag: KojiName, event: Int? = nil, inherit: Bool = false, latest: Bool = false, package: String? = nil, arches: [String]? = nil,
        rpmsigs: Bool = false, into initial: Result, _ take: @escaping @Sendable (inout Result, TaggedRow) throws -> Void
    ) async throws -> Result {
        let call = Self.listing(
            of: tag, event: event, inherit: inherit, latest: latest, package: package, arches: arches, rpmsigs: rpmsigs)
        return try await taggedRows(call, into: initial, take)
    }
}
