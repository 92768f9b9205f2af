// The history of tags, and the packages that changed.
extension KojiHub {
    /// Returns the changes of one tag, or of all tags, that began or ended after one event and before
    /// another one.
    public func queryHistory(
        tag: KojiName? = nil, tables: [KojiTagChange.Table] = KojiTagChange.Table.allCases, afterEvent: Int, beforeEvent: Int? = nil
    ) async throws(KojiError) -> [KojiTagChange] {
        let call = Self.history(of: tag, tables, afterEvent: afterEvent, beforeEvent: beforeEvent)
        return try changes(in: try await self.call(call), tables)
    }

    /// Returns the changes of each tag that began or ended after an event, with few requests.
    ///
    /// A change of a tag's child is also in the table ``KojiTagChange/Table/tagInheritance``. It has the
    /// number of the child.
    public func queryHistory(
        ofEach tags: [Int], tables: [KojiTagChange.Table] = KojiTagChange.Table.allCases, afterEvent: Int
    ) async throws(KojiError) -> [[KojiTagChange]] {
        var found: [[KojiTagChange]] = []
        for answer in try await multiCall(tags.map { Self.history(of: .id($0), tables, afterEvent: afterEvent) }) {
            found.append(try changes(in: try answer.get(), tables))
        }
        return found
    }

    /// Returns, for each event, the last event before it that changed the tag or one of its parents, with
    /// few requests. The event `nil` stands for now.
    ///
    /// Unlike the history, it also counts changes that leave no row in a table of the history. Examples: a
    /// build was moved to another volume, a package was imported into a build. Throws a fault if the hub is
    /// older than Koji 1.35.
    /// - Returns: `nil` for an event before which the tag did not exist.
    public func tagLastChangeEvent(_ tag: Int, beforeEach events: [Int?]) async throws(KojiError) -> [Int?] {
        let method = "tagLastChangeEvent"
        let calls = events.map { XMLRPCCall(method, .int(tag)).with("before", $0.map { .int($0) }) }
        var found: [Int?] = []
        for answer in try await multiCall(calls) {
            switch try answer.get() {
            case .int(let event): found.append(event)
            case .null: found.append(nil)
            default: throw unexpected(method, "it is not an event")
            }
        }
        return found
    }

    /// Returns the result of ``listTaggedRPMS(_:event:inherit:latest:package:arches:rpmsigs:into:_:)`` for
    /// each of some names of packages, with few requests.
    public func listTaggedRPMS(
        _ tag: Int, ofEach packages: [String], event: Int, inherit: Bool, latest: Bool, arches: [String]
    ) async throws(KojiError) -> [[TaggedRow]] {
        let calls = packages.map {
            Self.listing(of: .id(tag), event: event, inherit: inherit, latest: latest, package: $0, arches: arches)
        }
        var found: [[TaggedRow]] = []
        for answer in try await multiCall(calls) { found.append(try taggedRows(in: try answer.get())) }
        return found
    }

    /// Returns the call that lists packages of a tag.
    static func listing(
        of tag: KojiName, event: Int?, inherit: Bool, latest: Bool, package: String?, arches: [String]?, rpmsigs: Bool = false
    ) -> XMLRPCCall {
        XMLRPCCall("listTaggedRPMS", tag.value).with("event", event.map { .int($0) }).with("inherit", inherit ? true : nil)
            .with("latest", latest ? true : nil).with("package", package.map { .string($0) })
            .with("arch", arches.map { .array($0.map { .string($0) }) }).with("rpmsigs", rpmsigs ? true : nil)
    }

    private static func history(
        of tag: KojiName?, _ tables: [KojiTagChange.Table], afterEvent: Int, beforeEvent: Int? = nil
    ) -> XMLRPCCall {
        XMLRPCCall("queryHistory").with("tables", .array(tables.map { .string($0.rawValue) })).with("tag", tag?.value)
            .with("afterEvent", .int(afterEvent)).with("beforeEvent", beforeEvent.map { .int($0) })
    }

    private func changes(in answer: XMLRPCValue, _ tables: [KojiTagChange.Table]) throws(KojiError) -> [KojiTagChange] {
        let method = "queryHistory"
        guard case .structure(let rowsOfTables) = answer else { throw unexpected(method, "it is not a struct") }
        var changes: [KojiTagChange] = []
        for table in tables {
            guard let rows = rowsOfTables[table.rawValue] else { continue }
            for var change in try self.rows(in: rows, of: method, as: KojiTagChange.self) {
                change.table = table
                changes.append(change)
            }
        }
        return changes
    }
}
