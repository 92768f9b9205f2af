public import Koji
import Synchronization

/// The tags of a hub with their history, as tables like those of Koji's database. It answers calls
/// about them by the rules of Koji's hub.
///
/// Each change is an event, one second after the last one. A signature is no event.
public final class TagDatabase: Sendable {
    /// A package file of a build.
    public struct RPM: Hashable, Sendable {
        public let id: Int
        public let name: String
        public let arch: String
        /// The keys of its signatures. "" stands for the header of the unsigned file.
        public var keys = [""]
    }

    public struct Build: Hashable, Sendable {
        public let id: Int
        public let name: String
        public let release: Int
        public var volume = "DEFAULT"
        public var isDeleted = false
        public var rpms: [RPM] = []
    }

    /// A statement about a tag that is true from one event until another one.
    fileprivate struct Row {
        let table: KojiTagChange.Table
        let tag: Int
        /// The number of a build, a package or a parent.
        var subject = 0
        var isBlocked = false
        /// The rank of a parent. The first parent has 0.
        var priority = 0
        let begin: Int
        var end: Int?

        func holds(at event: Int?) -> Bool {
            guard let event else { return end == nil }
            return begin <= event && end.map { event < $0 } ?? true
        }
    }

    fileprivate struct State {
        var seconds = 1_700_000_000.0
        var lastNumber = 0
        /// The visible events with their times.
        var events: [(id: Int, seconds: Double)] = []
        /// The times of events whose changes are not visible yet.
        var pending: [Int: Double] = [:]
        var tags: [Int: String] = [:]
        var packageNames: [String] = []
        var builds: [Int: Build] = [:]
        var rows: [Row] = []
        /// Changes that are in no table of the history.
        var updates: [(tag: Int, event: Int)] = []
        var numberOfRPMs = 0
    }

    private let state = Mutex(State())
    private let knowsLastChange: Bool

    /// - Parameter knowsLastChange: Whether the hub has `tagLastChangeEvent`, as hubs from Koji 1.35 on.
    public init(knowsLastChange: Bool = true) { self.knowsLastChange = knowsLastChange }
}

// Changes. They have an event each, unless they get the number of a reserved one.
extension TagDatabase {
    /// Lets time pass.
    public func wait(seconds: Double) { state.withLock { $0.seconds += seconds } }

    /// The number of an event whose change becomes visible later.
    public func reserveEvent() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            state.seconds += 1
            state.pending[state.lastNumber] = state.seconds
            return state.lastNumber
        }
    }

    public func addTag(_ id: Int, _ name: String) {
        state.withLock { state in
            state.tags[id] = name
            state.rows.append(Row(table: .tagConfig, tag: id, begin: state.event()))
        }
    }

    /// - Returns: The number of the new build. It has no packages yet.
    @discardableResult
    public func addBuild(of name: String) -> Int {
        state.withLock { state in
            let id = state.builds.count + 1
            state.builds[id] = Build(id: id, name: name, release: id)
            return id
        }
    }

    public func tag(_ build: Int, into tag: Int, at event: Int? = nil) {
        state.withLock { state in
            let number = state.event(event)
            state.end(.tagListing, of: tag, build, number)
            state.rows.append(Row(table: .tagListing, tag: tag, subject: build, begin: number))
        }
    }

    public func untag(_ build: Int, from tag: Int) {
        state.withLock { state in
            let event = state.event()
            state.end(.tagListing, of: tag, build, event)
        }
    }

    /// Adds a package to the list of a tag, or blocks it there.
    public func list(_ package: String, in tag: Int, isBlocked: Bool = false) {
        state.withLock { state in
            let event = state.event()
            let id = state.package(package)
            state.end(.tagPackages, of: tag, id, event)
            state.rows.append(Row(table: .tagPackages, tag: tag, subject: id, isBlocked: isBlocked, begin: event))
        }
    }

    public func setParents(_ parents: [Int], of tag: Int) {
        state.withLock { state in
            let event = state.event()
            state.end(.tagInheritance, of: tag, nil, event)
            for (priority, parent) in parents.enumerated() {
                state.rows.append(Row(table: .tagInheritance, tag: tag, subject: parent, priority: priority, begin: event))
            }
        }
    }

    /// Changes a tag in a table that has no part in its content.
    public func edit(_ table: KojiTagChange.Table, of tag: Int) {
        state.withLock { state in
            let event = state.event()
            state.end(table, of: tag, nil, event)
            state.rows.append(Row(table: table, tag: tag, begin: event))
        }
    }

    public func importPackage(_ name: String, _ arch: String, into build: Int) {
        state.withLock { state in
            state.numberOfRPMs += 1
            state.builds[build]?.rpms.append(RPM(id: state.numberOfRPMs, name: name, arch: arch))
            state.update(tagsOf: build)
        }
    }

    public func move(_ build: Int, to volume: String) {
        state.withLock { state in
            state.builds[build]?.volume = volume
            state.update(tagsOf: build)
        }
    }

    /// Untags a build everywhere and deletes it.
    public func delete(_ build: Int) {
        state.withLock { state in
            let event = state.event()
            for tag in state.tags.keys { state.end(.tagListing, of: tag, build, event) }
            state.builds[build]?.isDeleted = true
        }
    }

    public func sign(_ build: Int, with key: String) {
        state.withLock { state in
            for index in state.builds[build]?.rpms.indices ?? 0..<0 where state.builds[build]?.rpms[index].keys.contains(key) == false {
                state.builds[build]?.rpms[index].keys.append(key)
            }
        }
    }

    /// The builds that a tag has itself now.
    public func builds(in tag: Int) -> [Int] {
        state.withLock { state in state.rows.filter { $0.table == .tagListing && $0.tag == tag && $0.end == nil }.map(\.subject) }
    }
}

extension TagDatabase.State {
    /// A new event, or one that was reserved. It is visible from now on.
    fileprivate mutating func event(_ reserved: Int? = nil) -> Int {
        if let reserved, let seconds = pending.removeValue(forKey: reserved) {
            events.append((reserved, seconds))
            events.sort { $0.id < $1.id }
            return reserved
        }
        lastNumber += 1
        seconds += 1
        events.append((lastNumber, seconds))
        return lastNumber
    }

    fileprivate mutating func package(_ name: String) -> Int {
        if let known = packageNames.firstIndex(of: name) { return known }
        packageNames.append(name)
        return packageNames.count - 1
    }

    fileprivate mutating func end(_ table: KojiTagChange.Table, of tag: Int, _ subject: Int?, _ event: Int) {
        for index in rows.indices
        where rows[index].table == table && rows[index].tag == tag && rows[index].end == nil {
            if rows[index].subject == subject ?? rows[index].subject { rows[index].end = event }
        }
    }

    /// Records a change that is in no table of the history, for all tags that have the build now.
    fileprivate mutating func update(tagsOf build: Int) {
        let tags = rows.filter { $0.table == .tagListing && $0.subject == build && $0.end == nil }.map(\.tag)
        guard !tags.isEmpty else { return }
        let event = self.event()
        updates += tags.map { ($0, event) }
    }
}

// Answers.
extension TagDatabase {
    /// - Returns: `nil` for a call that is not about tags.
    public func reply(to call: XMLRPCCall) -> Reply? {
        func argument(_ position: Int, _ name: String) -> XMLRPCValue? {
            call.arguments.indices.contains(position) ? call.arguments[position] : call.keywords.last { $0.name == name }?.value
        }
        let state = state.withLock(\.self)
        let event = argument(.max, "event")?.int
        let before = argument(.max, "before")
        let tag = argument(0, "tag").flatMap(state.tag)
        switch call.method {
        case "getLastEvent":
            let moment: Double? = if case .double(let seconds)? = before { seconds } else { nil }
            guard let last = state.events.last(where: { event in moment.map { event.seconds < $0 } ?? true }) else {
                return .fault(1000, "There is no event before that time")
            }
            return .value(["id": .int(last.id), "ts": .double(last.seconds)])
        case "getTag":
            guard let tag, state.rows.contains(where: { $0.table == .tagConfig && $0.tag == tag && $0.holds(at: event) }) else {
                return .value(.null)
            }
            return .value(["id": .int(tag), "name": .string(state.tags[tag] ?? ""), "arches": "x86_64", "locked": false])
        case "getFullInheritance":
            guard let tag else { return .fault(1000, "No such entry in table tag") }
            let ancestors = state.ancestors(of: tag, at: event)
            return .value(.array(ancestors.map { ["parent_id": .int($0), "name": .string(state.tags[$0] ?? "")] }))
        case "tagChangedSinceEvent":
            let tags = argument(1, "taglist")?.array?.compactMap(\.int) ?? []
            let event = argument(0, "event")?.int ?? 0
            return .value(.bool(state.changes(of: tags).contains { $0 > event }))
        case "tagLastChangeEvent":
            guard knowsLastChange else { return .fault(1000, "Invalid method: tagLastChangeEvent") }
            guard let tag else { return .fault(1000, "No such tagInfo") }
            let events = state.changes(of: [tag] + state.ancestors(of: tag, at: before?.int))
            return .value(events.filter { event in before?.int.map { event < $0 } ?? true }.max().map { .int($0) } ?? .null)
        case "queryHistory":
            guard let tag = argument(.max, "tag").flatMap(state.tag), let after = argument(.max, "afterEvent")?.int else { return nil }
            let tables = argument(0, "tables")?.array?.compactMap(\.string) ?? []
            let rows = tables.map { ($0, XMLRPCValue.array(state.history($0, of: tag, after: after))) }
            return .value(.structure(Dictionary(rows, uniquingKeysWith: { $1 })))
        case "listTaggedRPMS":
            guard let tag else { return .fault(1000, "No such tagInfo") }
            return .value(
                state.packages(
                    of: tag, at: event, inherit: argument(.max, "inherit") == true, latest: argument(.max, "latest") == true,
                    package: argument(.max, "package")?.string, arches: argument(.max, "arch")?.array?.compactMap(\.string),
                    signatures: argument(.max, "rpmsigs") == true))
        case "queryRPMSigs":
            let rpm = state.builds.values.flatMap(\.rpms).first { $0.id == argument(0, "rpm_id")?.int }
            return .value(
                .array((rpm?.keys ?? []).map { ["rpm_id": .int(rpm?.id ?? 0), "sigkey": .string($0), "sighash": "0"] }))
        default: return nil
        }
    }
}

extension TagDatabase.State {
    fileprivate func tag(_ value: XMLRPCValue) -> Int? {
        if let id = value.int { return tags[id] == nil ? nil : id }
        return tags.first { .string($0.value) == value }?.key
    }

    fileprivate func ancestors(of tag: Int, at event: Int?) -> [Int] {
        var found: [Int] = []
        func visit(_ tag: Int, below: [Int]) {
            let parents = rows.filter { $0.table == .tagInheritance && $0.tag == tag && $0.holds(at: event) }
            for parent in parents.sorted(by: { $0.priority < $1.priority }).map(\.subject)
            where !below.contains(parent) && !found.contains(parent) {
                found.append(parent)
                visit(parent, below: below + [parent])
            }
        }
        visit(tag, below: [tag])
        return found
    }

    /// The events of all changes of the tags.
    fileprivate func changes(of tags: [Int]) -> [Int] {
        rows.filter { tags.contains($0.tag) }.flatMap { [$0.begin] + ($0.end.map { [$0] } ?? []) }
            + updates.filter { tags.contains($0.tag) }.map(\.event)
    }

    fileprivate func history(_ table: String, of tag: Int, after event: Int) -> [XMLRPCValue] {
        rows.filter { row in
            row.table.rawValue == table && (row.tag == tag || row.table == .tagInheritance && row.subject == tag)
                && (row.begin > event || row.end.map { $0 > event } ?? false)
        }.map { row in
            var members: [String: XMLRPCValue] = [
                "tag_id": .int(row.tag), "tag.name": .string(tags[row.tag] ?? ""), "create_event": .int(row.begin),
                "revoke_event": row.end.map { .int($0) } ?? .null, "active": row.end == nil ? true : .null,
            ]
            switch row.table {
            case .tagListing:
                guard let build = builds[row.subject] else { break }
                members.merge([
                    "build_id": .int(build.id), "build.state": build.isDeleted ? 2 : 1, "name": .string(build.name), "version": "1",
                    "release": .string("\(build.release)"), "epoch": .null,
                ]) { $1 }
            case .tagPackages:
                members.merge([
                    "package_id": .int(row.subject), "package.name": .string(packageNames[row.subject]), "blocked": .bool(row.isBlocked),
                ]) { $1 }
            case .tagInheritance:
                members.merge(["parent_id": .int(row.subject), "parent.name": .string(tags[row.subject] ?? "")]) { $1 }
            default: break
            }
            return .structure(members)
        }
    }

    /// The answer of listTaggedRPMS.
    fileprivate func packages(
        of tag: Int, at event: Int?, inherit: Bool, latest: Bool, package: String?, arches: [String]?, signatures: Bool
    ) -> XMLRPCValue {
        let ancestors = self.ancestors(of: tag, at: event)
        // The nearest tag decides whether a package is blocked. The list of packages is always inherited.
        var isBlocked: [String: Bool] = [:]
        for member in [tag] + ancestors {
            for row in rows where row.table == .tagPackages && row.tag == member && row.holds(at: event) {
                let name = packageNames[row.subject]
                if isBlocked[name] == nil { isBlocked[name] = row.isBlocked }
            }
        }
        var seen: Set<String> = []
        var found: [(build: TagDatabase.Build, tag: Int)] = []
        for member in inherit ? [tag] + ancestors : [tag] {
            let tagged = rows.filter { $0.table == .tagListing && $0.tag == member && $0.holds(at: event) }
                .sorted { ($0.begin, $0.subject) > ($1.begin, $1.subject) }
            for build in tagged.compactMap({ builds[$0.subject] })
            where !build.isDeleted && isBlocked[build.name] == false && build.name == package ?? build.name {
                if latest, !seen.insert(build.name).inserted { continue }
                found.append((build, member))
            }
        }
        let rpms = found.flatMap { build, _ in
            build.rpms.filter { arches?.contains($0.arch) ?? true }.flatMap { rpm -> [XMLRPCValue] in
                let row: [String: XMLRPCValue] = [
                    "id": .int(rpm.id), "name": .string(rpm.name), "version": "1", "release": .string("\(build.release)"),
                    "arch": .string(rpm.arch), "epoch": .null, "build_id": .int(build.id), "size": .int(1000 + rpm.id),
                    "payloadhash": .string(String(repeating: "0", count: 26) + "\(100_000 + rpm.id)"), "metadata_only": false,
                ]
                guard signatures else { return [.structure(row)] }
                return rpm.keys.map { .structure(row.merging(["sigkey": .string($0)]) { $1 }) }
            }
        }
        let rows = found.map { build, member -> XMLRPCValue in
            [
                "build_id": .int(build.id), "id": .int(build.id), "name": .string(build.name), "package_name": .string(build.name),
                "version": "1", "release": .string("\(build.release)"), "epoch": .null, "nvr": .string("\(build.name)-1-\(build.release)"),
                "state": 1, "volume_name": .string(build.volume), "tag_id": .int(member), "tag_name": .string(tags[member] ?? ""),
            ]
        }
        return [.array(rpms), .array(rows)]
    }
}
