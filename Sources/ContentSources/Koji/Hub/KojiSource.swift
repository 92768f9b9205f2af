public import ComposeModel
import Compression
import ForeignText
public import Koji
public import Logging
public import Modules
public import Repodata

/// A *Koji source* provides the tags, builds and modules of one Koji. It pins them, lists their
/// packages, and finds the files of chosen packages.
public struct KojiSource: Sendable {
    let hub: KojiHub
    let files: KojiPackageSource
    let tags: TagLister
    /// Whether the files are read over HTTP. Then it is cheaper to ask the hub for a checksum than to read
    /// the file.
    private let isRemote: Bool
    /// The address at which clients find the files, with a slash at its end. `nil` if composes may not
    /// refer to the files.
    private let reference: String?

    /// - Parameters:
    ///   - referringTo: The hub's `topurl` if composes may refer to the files there, `nil` if they may not.
    ///   - keepsListings: Whether the packages of tags are kept in memory, so that only changed packages
    ///     are listed later.
    public init(
        hub: KojiHub, files: KojiPackageSource, isRemote: Bool, referringTo topurl: String? = nil, keepsListings: Bool = true,
        logger: Logger
    ) {
        let tags = TagLister(hub: hub, logger: logger, kept: keepsListings ? KeptListings() : nil)
        self.init(hub: hub, files: files, isRemote: isRemote, referringTo: topurl, tags: tags)
    }

    init(hub: KojiHub, files: KojiPackageSource, isRemote: Bool, referringTo topurl: String? = nil, tags: TagLister) {
        self.hub = hub
        self.tags = tags
        self.files = files
        self.isRemote = isRemote
        reference = topurl.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
    }

    // MARK: Pin

    /// The maximum duration of a change in Koji in seconds, from the moment when its event has a number
    /// until others can see it. A change that takes longer is missed.
    public static let longestChange = 600.0

    /// Returns the state of the tag now, or at `event`.
    ///
    /// - Parameter earlier: The previous pin of the tag. If neither the tag nor one of its parents has
    ///   changed since, the result has the same event. Thereby composes of an unchanged tag are equal.
    /// - Returns: The pin, and whether the tag's content at its event is settled. If it is not, a change
    ///   may appear later that belongs before the event.
    ///
    /// Throws `.sourceNotUsable` if there is no such tag or event. Throws `.sourceUnreachable` (transient)
    /// if the hub does not answer.
    public func pin(
        tag name: String, event: Int?, inherits: Bool, earlier: KojiPin.Tag?
    ) async throws(ComposeFailure) -> (tag: KojiPin.Tag, isSettled: Bool) {
        do throws(KojiError) {
            // The event is read first. Later calls list the tag as of this event, so they see one moment even if
            // builds are tagged meanwhile.
            let last = try await hub.getLastEvent()
            let asOf = try Self.event(event, atMost: last.id)
            guard let tag = try await hub.getTag(.name(name), event: asOf) else { throw await hub.noTag(name, at: event) }
            let settled = try await settledEvent(at: last)
            if let event {
                return (KojiPin.Tag(name: name, id: tag.id, event: event, inherits: inherits), settled.map { event <= $0 } ?? false)
            }
            if let earlier, earlier.id == tag.id, earlier.event <= last.id, let settled = earlier.settledEvent,
                try await !hub.tagChangedSinceEvent(settled, tags: hub.family(of: tag.id, at: earlier.event))
            {
                return (KojiPin.Tag(name: name, id: tag.id, event: earlier.event, settledEvent: settled, inherits: inherits), true)
            }
            let now = KojiPin.Tag(name: name, id: tag.id, event: last.id, settledEvent: settled, inherits: inherits)
            guard let settled else { return (now, false) }
            return (now, try await !hub.tagChangedSinceEvent(settled, tags: hub.family(of: tag.id, at: last.id)))
        } catch {
            throw ComposeFailure(error)
        }
    }

    /// Returns the event of Koji's history to read at: `asked`, or the last event.
    ///
    /// Throws `.sourceNotUsable` if there is no such event yet. Throws `.sourceUnreachable` (transient) if
    /// the hub does not answer.
    public func event(_ asked: Int?) async throws(ComposeFailure) -> Int {
        do throws(KojiError) {
            return try Self.event(asked, atMost: try await hub.getLastEvent().id)
        } catch {
            throw ComposeFailure(error)
        }
    }

    private static func event(_ asked: Int?, atMost last: Int) throws(KojiError) -> Int {
        guard let asked else { return last }
        guard asked <= last else { throw KojiError(.argument, "Koji has no event \(asked) yet: its last one is \(last).") }
        return asked
    }

    /// Returns the last event for which it and all earlier events are visible at the time of `event`.
    /// Returns `nil` if Koji's history is too short to know.
    func settledEvent(at event: KojiEvent) async throws(KojiError) -> Int? {
        do throws(KojiError) {
            return try await hub.getLastEvent(before: event.timestamp - Self.longestChange).id
        } catch {
            guard error.isRefusal else { throw error }
            return nil
        }
    }

    // MARK: List

    /// Returns the packages of a pin that machines of some architectures can use, including their debuginfo
    /// and sources.
    ///
    /// - Parameters:
    ///   - arches: Architectures of packages, in Koji's spelling. `noarch`, `src` and `nosrc` must be among
    ///     them if they are wanted.
    ///   - signatures: Whether to list the signatures of the packages. They double the size of the hub's
    ///     answer, and a tag is listed as a whole each time.
    ///
    /// Throws `.sourceNotUsable` with the names of builds that do not exist or are not complete. Throws
    /// `.sourceUnreachable` (transient) if the hub does not answer.
    public func packages(of pin: KojiPin, arches: [String], signatures: Bool) async throws(ComposeFailure) -> [KojiPackage] {
        try await packages(of: pin, arches: arches, signatures: signatures, modules: ModuleMetadata()).packages
    }

    /// Returns the same as ``packages(of:arches:signatures:)`` and the packages of the pinned modules. From
    /// the modules' tags it takes only artifacts of the modules and the source packages of these artifacts.
    ///
    /// - Parameter modules: The result of ``modules(of:arches:documents:)`` for the same pin.
    public func packages(
        of pin: KojiPin, arches: [String], signatures: Bool, modules: ModuleMetadata
    ) async throws(ComposeFailure) -> KojiListing {
        do {
            var content = KojiContent()
            if let tag = pin.tag { content = try await tags.packages(of: tag, arches: arches, signatures: signatures) }
            let builds = try await list(builds: pin.builds, arches: Set(arches), signatures: signatures)
            // Builds that are named in the request replace the tag's builds of the same packages.
            content.remove(buildsNamed: Set(builds.builds.values.map(\.name)))
            content.merge(builds)
            let artifacts = try await list(modulesOf: pin, modules, arches: arches, signatures: signatures)
            content.merge(artifacts.content)
            var (packages, notes) = content.packages
            packages += try await list(tasks: pin.scratchTasks, arches: Set(arches))
            return KojiListing(
                packages: packages, modules: modules.with(streams: artifacts.streams), notes: artifacts.notes + notes,
                question: Self.question(of: pin, arches: arches))
        } catch {
            throw ComposeFailure(error, otherwise: "Koji's list of packages could not be read.")
        }
    }

    private static func question(of pin: KojiPin, arches: [String]) -> String? {
        guard let tag = pin.tag, let id = tag.id, pin == KojiPin(tag: tag) else { return nil }
        return "tag \(id)\(tag.inherits ? "" : " alone"), \(arches.sorted().joined(separator: " "))"
    }

    private func list(builds nvrs: [String], arches: Set<String>, signatures: Bool) async throws -> KojiContent {
        guard !nvrs.isEmpty else { return KojiContent() }
        var content = KojiContent()
        var wrong: [String] = []
        for (nvr, result) in zip(nvrs, try await hub.getBuilds(nvrs.map { .name($0) })) {
            switch result {
            case .success(let build?) where build.state == .complete: content.builds[build.buildID] = build
            case .success(let build?):
                wrong.append("\(nvr) is \(build.state?.name.lowercased() ?? "in a state that this version does not know")")
            case .success(nil):
                let package = nvr.split(separator: "-").dropLast(2).joined(separator: "-")
                let nearest = await hub.nearest(to: nvr, in: "\(package)-*") { (glob) throws(KojiError) in try await hub.searchBuilds(glob)
                }
                wrong.append("\(nvr) is not there\(nearest.map { " (\($0))" } ?? "")")
            case .failure(let error):
                // A fault means that the text cannot be split into name, version and release.
                guard error.code == .fault, !error.isTransient else { throw error }
                wrong.append("\(nvr) is not the name, version and release of a build")
            }
        }
        guard wrong.isEmpty else { throw Self.failure(wrong, of: "build") }
        let ids = content.builds.keys.sorted()
        for result in try await hub.listBuildRPMs(ofEach: ids.map { .id($0) }) {
            for rpm in try result.get() where arches.contains(rpm.arch) && !rpm.isMetadataOnly { content.add(rpm) }
        }
        guard signatures else { return content }
        let rpms = content.listed.map(\.id).sorted()
        for (id, signatures) in zip(rpms, try await hub.queryRPMSigs(rpmIDs: rpms)) {
            content.keys[id] = signatures.map(\.sigkey).filter { !$0.isEmpty }
        }
        return content
    }

    private func list(tasks ids: [Int], arches: Set<String>) async throws -> [KojiPackage] {
        var tasks: [KojiTask] = []
        var wrong: [String] = []
        for id in ids {
            switch try await hub.getTaskInfo(id) {
            case nil: wrong.append("\(id) is not there")
            case let task? where !["build", "buildArch"].contains(task.method): wrong.append("\(id) is no build, but a task \(task.method)")
            case let task? where task.state == .closed: tasks.append(task)
            case let task?: wrong.append("\(id) \(task.state?.findings ?? "is in a state that this version does not know")")
            }
        }
        guard wrong.isEmpty else { throw Self.failure(wrong, of: "scratch build") }
        var packages: [KojiPackage] = []
        for task in tasks { packages += try await list(task, arches: arches) }
        return packages
    }

    /// The maximum number of findings of one kind that a failure names.
    private static let most = 20

    private static func first(of findings: [String]) -> [String] {
        findings.prefix(most) + (findings.count > most ? ["and \(findings.count - most) more"] : [])
    }

    static func failure(_ wrong: [String], of noun: String) -> ComposeFailure {
        ComposeFailure(
            .sourceNotUsable,
            "\(wrong.count == 1 ? "A \(noun) cannot" : "\(wrong.count) \(noun)s cannot") be used: in Koji, \(first(of: wrong).joined(separator: "; ")).",
            details: wrong.prefix(most).map { .init(text: $0) })
    }

    /// Returns the packages made by the tasks of a successful scratch build. Koji never signs such
    /// packages.
    private func list(_ build: KojiTask, arches: Set<String>) async throws -> [KojiPackage] {
        let id = build.id
        let tasks = build.method == "build" ? try await hub.getTaskChildren(id) : [build]
        var packages: [KojiPackage] = []
        // A successful build can have failed tasks, because a build may name architectures that are allowed to
        // fail.
        for task in tasks where task.method == "buildArch" && task.state == .closed {
            let result = try await hub.getBuildArchResult(task.id)
            for file in result.rpms + result.srpms {
                guard let name = file.split(separator: "/").last, let nevra = NEVRA(String(name)), arches.contains(nevra.arch) else {
                    continue
                }
                do throws(PathComponent.Problem) {
                    let place = KojiPackage.Place.task(file: try KojiPath("work/\(file)"))
                    packages.append(try KojiPackage(nevra: nevra, build: "task \(id)", place: place, payloadHash: nil))
                } catch {
                    throw ComposeFailure(
                        .sourceNotUsable, "The scratch build \(id) in Koji cannot be used: in \(file.quoted), a name \(error.reason).")
                }
            }
        }
        guard !packages.isEmpty else {
            throw ComposeFailure(.sourceNotUsable, "The scratch build \(id) in Koji has no packages for the architectures of this compose.")
        }
        // The task of each architecture has also built the noarch packages.
        return packages.uniqued(by: \.nevra)
    }

    // MARK: Files

    /// Returns metadata of all `packages` to choose from. It is made from their headers alone.
    ///
    /// - Parameter question: The ``KojiListing/question`` if these are all its packages.
    public func metadata(
        of packages: [KojiPackage], answering question: String? = nil
    ) async throws(ComposeFailure) -> PinnedRepository {
        try await files.metadata(of: packages, answering: question)
    }

    /// Returns the same as ``metadata(of:answering:)`` without the packages whose files cannot be used,
    /// and a list of these packages.
    public func usableMetadata(
        of packages: [KojiPackage], answering question: String? = nil
    ) async throws(ComposeFailure) -> (repository: PinnedRepository, unusable: [UnusablePackage]) {
        try await files.usableMetadata(of: packages, answering: question)
    }

    /// Returns the files of the packages that `records` of ``metadata(of:answering:)`` describe, with the
    /// checksums of the files.
    ///
    /// - Parameters:
    ///   - sigkeys: The wanted keys, in order of preference. Each package's copy is signed by the first key
    ///     whose signed file exists. An empty list selects the unsigned files. Example: `["fd431d51", ""]`.
    ///   - areSigned: Whether `packages` were listed with their signatures. If they were not, the hub is
    ///     asked for the signatures of the chosen packages.
    ///   - delivery: Whether the metadata must name the address at which clients find the files.
    ///
    /// Throws `.packageUnsigned` with the names of the packages that none of the keys has signed. It also
    /// names the keys that have signed them.
    public func chosen(
        by records: [PackageRecord], among packages: [KojiPackage], sigkeys: [String], areSigned: Bool = true, delivery: Delivery = .link
    ) async throws(ComposeFailure) -> ChosenPackages {
        if delivery == .reference, reference == nil { throw Self.noReferences }
        var chosen = KojiPackage.chosen(by: records, among: packages)
        if !sigkeys.isEmpty, !areSigned { chosen = try await withSignatures(chosen) }
        let choice = try await files.copies(of: chosen, signedBy: sigkeys.isEmpty ? [""] : sigkeys)
        guard choice.unsigned.isEmpty else { throw Self.failure(choice.unsigned, sigkeys) }
        return try await files.metadata(
            ofChosen: isRemote ? try await withChecksums(choice.copies) : choice.copies, at: delivery == .reference ? reference : nil)
    }

    /// The failure of a request that was accepted while references were allowed, or by a frontend whose
    /// configuration still allows them.
    private static let noReferences = ComposeFailure(
        .sourceNotUsable,
        "The configuration of this service does not allow composes that refer to Koji's files (koji.allow_reference); ask for the delivery link."
    )

    /// Returns the packages with the signatures that the hub knows now.
    func withSignatures(_ packages: [KojiPackage]) async throws(ComposeFailure) -> [KojiPackage] {
        let ids = packages.compactMap(\.id)
        let signatures: [[KojiSignature]]
        do throws(KojiError) { signatures = try await hub.queryRPMSigs(rpmIDs: ids) } catch { throw ComposeFailure(error) }
        let keys = Dictionary(zip(ids, signatures.map { $0.map(\.sigkey).filter { !$0.isEmpty } }), uniquingKeysWith: { first, _ in first })
        return packages.map { package in package.signed(by: package.id.flatMap { keys[$0] } ?? []) }
    }

    /// Returns the copies with the checksums that the hub knows. A hub that is too old for the call returns
    /// none, and they are computed later.
    private func withChecksums(_ copies: [PackageCopy]) async throws(ComposeFailure) -> [PackageCopy] {
        let ids = copies.compactMap(\.package.id)
        let known: [Int: [String: String]]
        do throws(KojiError) {
            known = try await hub.sha256(ofRPMs: ids)
        } catch {
            guard error.isRefusal else { throw ComposeFailure(error) }
            return copies
        }
        return copies.map { copy in
            var copy = copy
            if let id = copy.package.id, let hex = known[id]?[copy.key] { copy.sha256 = Checksum("sha256:\(hex)") }
            return copy
        }
    }

    private static func failure(_ unsigned: [SignedChoice.Unsigned], _ sigkeys: [String]) -> ComposeFailure {
        let sentences = unsigned.prefix(most).map { package in
            let has = package.keys.isEmpty ? "is not signed at all" : "is signed by \(package.keys.joined(separator: ", "))"
            let missing =
                package.missing.isEmpty
                ? "" : "; Koji has no files signed by \(package.missing.joined(separator: ", ")): not yet, or not any more"
            return "\(package.package.nevra) of the build \(package.package.build) \(has)\(missing)"
        }
        let named = sentences + (unsigned.count > most ? ["and \(unsigned.count - most) more"] : [])
        return ComposeFailure(
            .packageUnsigned,
            "\(unsigned.count == 1 ? "1 package is" : "\(unsigned.count) packages are") not there as signed by any of the keys "
                + "\(sigkeys.joined(separator: ", ")): \(named.joined(separator: "; ")). "
                + "An empty key among the sigkeys allows packages that none of the others has signed.",
            details: zip(unsigned, sentences).map { .init(package: "\($0.package.nevra)", arch: $0.package.nevra.arch, text: $1) })
    }
}

extension KojiTask.State {
    /// The reason why a build in this state has no packages to take, as the end of a sentence.
    fileprivate var findings: String {
        switch self {
        case .free, .assigned: "has not begun"
        case .open: "is not done yet"
        case .closed: "is done"
        case .canceled: "is canceled"
        case .failed: "has failed"
        }
    }
}
