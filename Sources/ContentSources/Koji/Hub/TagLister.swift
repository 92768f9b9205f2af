import ComposeModel
import Koji
import Logging

/// A tag lister reads the packages of tags from a hub.
///
/// It keeps the packages of the tags that it listed last. If builds were tagged or untagged since, it
/// lists only the packages of the same names again. The hub decides what the tag has of such a package.
/// Inheritance, blocking and the choice of the latest build work for each name by itself.
///
/// The whole tag is listed if anything else has changed, or if the hub cannot tell:
///
/// - A parent, the list of packages, a setting or a group of a tag has changed.
/// - A build was moved to another volume, or got another package. Koji's history lacks these changes.
///   The call `tagLastChangeEvent` counts them, so they are noticed as events that the history does not
///   know.
/// - The hub does not have that call, or too much has changed.
/// - The whole tag was not listed for a day. This bounds the effect of maintenance without an event,
///   for example `reset_build`.
struct TagLister: Sendable {
    /// The maximum number of names that are listed one by one.
    private static let mostNames = 200
    /// The maximum number of events that are looked at one by one. Each is a call of the hub.
    private static let mostEvents = 50
    private static let longestAge = Duration.seconds(86_400)

    let hub: KojiHub
    let logger: Logger
    /// `nil` if each tag is listed as a whole.
    let kept: KeptListings?
    let now: @Sendable () -> ContinuousClock.Instant

    init(
        hub: KojiHub, logger: Logger, kept: KeptListings? = KeptListings(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.hub = hub
        self.logger = logger
        self.kept = kept
        self.now = now
    }

    /// Returns the packages of a tag as of its event.
    ///
    /// - Parameter signatures: Whether to list the signatures. Then the whole tag is listed, because a
    ///   signature is no event of Koji's history.
    func packages(of tag: KojiPin.Tag, arches: [String], signatures: Bool) async throws -> KojiContent {
        guard let kept, !signatures, let id = tag.id, let settled = tag.settledEvent else {
            return try await whole(tag, arches, signatures, "nothing is kept for such a request")
        }
        // This is asked first. A change that becomes visible later is found by the calls that follow, or it
        // comes after everything that they answer.
        let last: Int
        do throws(KojiError) {
            last = try await hub.tagLastChangeEvent(id, beforeEach: [nil])[0] ?? 0
        } catch {
            guard error.isRefusal else { throw error }
            return try await whole(tag, arches, signatures, "the hub does not know the last change of a tag")
        }
        let key = KeptListings.Key(tag: id, inherits: tag.inherits, arches: Set(arches))
        var reason = "it was not listed before"
        if let earlier = kept.listing(key) {
            do throws(KojiError) {
                switch try await changes(of: tag, id, since: earlier, last: last) {
                case .names(let names):
                    var listing = earlier
                    try await list(names, of: tag, id, arches, in: &listing.content)
                    listing.settledEvent = max(settled, earlier.settledEvent)
                    kept.keep(listing, as: key)
                    say(tag, listing.content, ["names": "\(names.count)"])
                    return listing.content
                case .unknown(let what): reason = what
                }
            } catch {
                // The whole listing shows whether the hub is able to answer at all.
                guard error.isRefusal || Self.unusable.contains(error.code) else { throw error }
                reason = error.message
            }
        }
        let family = try await hub.family(of: id, at: tag.event)
        let begin = now()
        let content = try await whole(tag, arches, signatures, reason)
        kept.keep(.init(content: content, settledEvent: settled, family: family, listedAsWhole: begin), as: key)
        return content
    }

    /// The errors of an answer that came, but that cannot be used.
    private static let unusable: Set<KojiError.Code> = [.tooLarge, .unexpected, .malformed]

    // MARK: Changes

    private enum Changes {
        /// Builds of packages with these names were tagged or untagged. Nothing else has changed.
        case names(Set<String>)
        /// Something else has changed, or it is not known what has. The text is the reason.
        case unknown(String)
    }

    /// Returns what has changed since a listing.
    ///
    /// - Parameter last: The last event that changed the tag, asked before this call.
    private func changes(
        of tag: KojiPin.Tag, _ id: Int, since earlier: KeptListings.Listing, last: Int
    ) async throws(KojiError) -> Changes {
        guard now() - earlier.listedAsWhole < Self.longestAge else { return .unknown("it was last listed as a whole a day ago") }
        let settled = earlier.settledEvent
        guard tag.event >= settled else { return .unknown("its event is before the last listing") }
        var names: Set<String> = []
        var events: Set<Int> = []
        for (member, changes) in zip(earlier.family, try await hub.queryHistory(ofEach: earlier.family, afterEvent: settled)) {
            for change in changes where change.tagID == member {
                guard change.table == .tagListing, let name = change.packageName else {
                    return .unknown("more than the builds of the tag or its parents has changed")
                }
                names.insert(name)
                events.formUnion([change.createEvent, change.revokeEvent ?? 0])
            }
        }
        let known = events.filter { $0 > settled && $0 <= last }.sorted(by: >)
        guard names.count <= Self.mostNames, known.count <= Self.mostEvents else { return .unknown("too much has changed") }
        // Every change is a known event only if the last change is the last known event, the last one before it
        // is the known event before it, and so on, down to the settled event.
        let found = [last] + (try await hub.tagLastChangeEvent(id, beforeEach: known)).map { $0 ?? 0 }
        guard zip(found, known).allSatisfy(==), found.last.map({ $0 <= settled }) ?? false else {
            return .unknown("something has changed that is not in Koji's history")
        }
        return .names(names)
    }

    // MARK: Lists

    /// Replaces the packages of builds with these names by those that the tag has now.
    private func list(
        _ names: Set<String>, of tag: KojiPin.Tag, _ id: Int, _ arches: [String], in content: inout KojiContent
    ) async throws(KojiError) {
        let rows = try await hub.listTaggedRPMS(
            id, ofEach: names.sorted(), event: tag.event, inherit: tag.inherits, latest: true, arches: arches)
        content.remove(buildsNamed: names)
        for row in rows.joined() { content.add(row) }
    }

    /// - Parameter reason: The reason why the whole tag is listed.
    private func whole(_ tag: KojiPin.Tag, _ arches: [String], _ signatures: Bool, _ reason: String) async throws -> KojiContent {
        let content = try await hub.listTaggedRPMS(
            try await currentName(of: tag), event: tag.event, inherit: tag.inherits, latest: true, arches: arches, rpmsigs: signatures,
            into: KojiContent()
        ) { content, row in content.add(row) }
        say(tag, content, ["names": "all", "reason": "\(reason)"])
        return content
    }

    private func say(_ tag: KojiPin.Tag, _ content: KojiContent, _ how: Logger.Metadata) {
        let what: Logger.Metadata = ["tag": "\(tag.name)", "event": "\(tag.event)", "packages": "\(content.listed.count)"]
        logger.debug("tag listed", metadata: what.merging(how) { $1 })
    }

    /// Returns the name by which the hub knows a pinned tag. It is the tag's number if the tag was renamed,
    /// or if another tag now has the name.
    func currentName(of tag: KojiPin.Tag) async throws(KojiError) -> KojiName {
        guard let id = tag.id, try await hub.getTag(.name(tag.name), event: tag.event)?.id != id else { return .name(tag.name) }
        return .id(id)
    }
}

extension KojiHub {
    /// Returns the numbers of a tag and of all tags that it inherits from, each once. A change of any of
    /// them can change the tag's content. This is also true if only the tag's own builds count, because the
    /// list of packages that a tag may have is always inherited.
    ///
    /// A parent that is added or removed later is a change of one of these tags.
    func family(of tag: Int, at event: Int) async throws(KojiError) -> [Int] {
        var seen: Set<Int> = []
        return ([tag] + (try await getFullInheritance(.id(tag), event: event)).map(\.parentID)).filter { seen.insert($0).inserted }
    }
}
