import ComposeModel
public import HTTPEnvironment
public import Logging
public import Modules
import NIOPosix

/// A catalog of the modules that the Module Build Service (MBS) has built in Koji.
///
/// Every call throws a `ComposeFailure`:
/// - `.sourceUnreachable` (transient) if the service does not answer, is busy or breaks off at every
///   attempt.
/// - `.sourceChanging` (transient) if a list changed each time while it was read.
/// - `.sourceNotUsable` if the service refuses, or is not at the configured address.
/// - `.metadataCorrupt` if an answer makes no sense.
/// - `.limitExceeded` if an answer or a list is too large.
public struct ModuleBuildService: ModuleCatalog {
    let connection: WebServiceConnection
    let limits: ModuleBuildServer.Limits

    /// The service's name in messages: "the Module Build Service at https://mbs.example.org".
    public var name: String { connection.service.name }

    /// Creates a catalog and reads the certificate file that `server` names. A later change of this file is
    /// seen by a new value only.
    /// - Parameter httpClient: A client that follows no redirects and decompresses nothing, as with
    ///   ``SourceLimits/httpClientConfiguration``.
    public init(_ server: ModuleBuildServer, httpClient: OutboundClient, logger: Logger) throws(ModuleBuildServer.ConfigurationError) {
        connection = WebServiceConnection(
            service: server.service, tls: try server.tlsConfiguration(), client: httpClient, logger: logger)
        limits = server.limits
    }

    /// Returns the builds that the reference means, without scratch builds.
    ///
    /// Koji has builds of `NAME-devel` with the packages that the module NAME filters out. The service does
    /// not know these builds, so its builds of NAME stand for them. A build of `NAME-devel` depends on that
    /// of NAME.
    public func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild] {
        // Documents of older versions are not read, because only the newest version is used.
        let found = try await builds(reference.choice(of: try await newest(reference, filter: filter), id: \.id))
        guard found.isEmpty, let plain = reference.withoutDevel else { return found }
        return try await builds(plain.choice(of: try await newest(plain, filter: filter), id: \.id)).map { build in
            ModuleBuild(stream: try devel(build.stream), kojiTag: build.kojiTag, bases: build.bases)
        }
    }

    public func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String] {
        let found = try await listed([("name", module)], filter: filter).filter { $0.id.name == module }
        guard found.isEmpty, let plain = module.withoutDevel else { return Set(found.map(\.id.stream)).sorted() }
        return try await streams(of: plain, filter: filter)
    }

    /// Returns the names of the modules among the newest builds, because the service has no list of names.
    public func modules() async throws -> [String] {
        Set(try await listed([], filter: ModuleBuildFilter()).map(\.id.name)).sorted()
    }

    // MARK: Lists

    /// Returns the builds of the newest version, and possibly some of older versions.
    private func newest(_ reference: ModuleReference, filter: ModuleBuildFilter) async throws(ComposeFailure) -> [ModuleBuildRecord] {
        let states = Self.states(filter)
        let accepts = { (record: ModuleBuildRecord) in !record.isScratch && (record.bases.map(filter.accepts) ?? true) }
        let found = try await inFull(reference, Self.parameters(filter)).read(from: connection) { Self.isComplete($0, upTo: accepts) }
        for record in found where !reference.includes(record.id) || !states.contains(record.state) {
            throw connection.service.senseless(
                "it lists the module \(record.id.description.shown) in the state \(record.stateName.shown), which was not asked for")
        }
        return found.filter(accepts)
    }

    /// Returns whether `found` has all builds of the newest version that has an accepted one. It has them
    /// if the list is in order and goes on with an older version.
    static func isComplete(_ found: [ModuleBuildRecord], upTo accepts: (ModuleBuildRecord) -> Bool) -> Bool {
        guard let newest = found.first(where: accepts), let last = found.last, last.id.version < newest.id.version else { return false }
        return zip(found, found.dropFirst()).allSatisfy { $0.id.version >= $1.id.version }
    }

    /// Returns the list of the builds that `reference` means, with their documents, the newest first. The
    /// second order is for builds of one version. Without it they could move from page to page.
    func inFull(
        _ reference: ModuleReference, _ parameters: [(name: String, value: String)], enough: Int? = nil
    ) -> ModuleBuildList {
        ModuleBuildList(
            query: [("nsvc", reference.description)] + parameters
                + [("verbose", "True"), ("order_desc_by", "version"), ("order_desc_by", "id")],
            pageSize: limits.pageSize, pages: limits.pages, enough: enough)
    }

    /// Reads a short entry, without a document, for each of the newest builds. Leaves out scratch builds.
    private func listed(
        _ query: [(name: String, value: String)], filter: ModuleBuildFilter
    ) async throws(ComposeFailure) -> [ModuleBuildRecord] {
        let list = ModuleBuildList(
            query: query + Self.parameters(filter) + [("short", "True")], pageSize: limits.listSize, pages: limits.pages,
            enough: limits.listedBuilds)
        return try await list.read(from: connection).filter { !$0.isScratch }
    }

    /// Returns the states that count, as numbers of the service.
    static func states(_ filter: ModuleBuildFilter) -> [Int] {
        filter.includesDone ? [ModuleBuildRecord.State.done, ModuleBuildRecord.State.ready] : [ModuleBuildRecord.State.ready]
    }

    private static func parameters(_ filter: ModuleBuildFilter) -> [(name: String, value: String)] {
        let bases: [(name: String, value: String?)] = [
            ("base_module_br_name", filter.baseName), ("base_module_br_stream", filter.baseStream),
            ("base_module_br_stream_version_lte", filter.baseStreamVersionAtMost.map(\.description)),
            ("base_module_br_stream_version_gte", filter.baseStreamVersionAtLeast.map(\.description)),
        ]
        return states(filter).map { ("state", String($0)) } + bases.compactMap { base in base.value.map { (base.name, $0) } }
    }

    // MARK: Documents

    func builds(_ records: [ModuleBuildRecord]) async throws(ComposeFailure) -> [ModuleBuild] {
        var builds: [ModuleBuild] = []
        for record in records {
            builds.append(
                ModuleBuild(
                    stream: try await stream(of: record.id, isScratch: record.isScratch, yaml: record.document ?? ""),
                    kojiTag: record.kojiTag, bases: record.bases ?? [], scratchID: record.isScratch ? record.number : nil))
        }
        return builds
    }

    /// Returns the module of a document, which must be the document of the build `id`. Throws
    /// `.metadataCorrupt` if it is not.
    ///
    /// Documents of the first modules have no context. The context of a scratch build ends in an underscore
    /// and a number, which the document may lack.
    func stream(of id: NSVC, isScratch: Bool, yaml: String) async throws(ComposeFailure) -> ModuleStream {
        try await NIOThreadPool.singleton.run(canceled: .canceled) { () throws(ComposeFailure) in
            try read(id, isScratch: isScratch, yaml: yaml)
        }
    }

    private func read(_ id: NSVC, isScratch: Bool, yaml: String) throws(ComposeFailure) -> ModuleStream {
        do {
            let streams = try ModuleMetadata(yaml: yaml).streams
            guard let stream = streams.first, streams.count == 1 else {
                throw unreadable(id, streams.isEmpty ? "it has no module in it" : "it has \(streams.count) modules in it")
            }
            guard stream.id.nameAndStream == id.nameAndStream, stream.id.version == id.version,
                stream.id.context == id.context || stream.id.context.isEmpty
                    || isScratch && id.context.hasPrefix("\(stream.id.context)_")
            else { throw unreadable(id, "it is that of \(stream.id.description.shown)") }
            return try stream.identified(as: id)
        } catch let error as ModuleMetadataError {
            throw unreadable(id, error.description)
        } catch let failure as ComposeFailure {
            throw failure
        } catch {
            throw unreadable(id, "\(error)")
        }
    }

    private func devel(_ stream: ModuleStream) throws(ComposeFailure) -> ModuleStream {
        let id = NSVC(
            name: stream.id.name + String.develSuffix, stream: stream.id.stream, version: stream.id.version, context: stream.id.context)
        do {
            return try stream.identified(as: id, requiring: (stream.id.name, stream.id.stream))
        } catch {
            throw unreadable(stream.id, error.description)
        }
    }

    func unreadable(_ id: NSVC, _ finding: String) -> ComposeFailure {
        ComposeFailure(
            .metadataCorrupt,
            "The modulemd document of the module \(id) in \(name) cannot be used: \(finding.hasSuffix(".") ? String(finding.dropLast()) : finding).",
            details: [.init(package: id.description, text: finding)])
    }
}

extension ModuleReference {
    /// The reference to NAME if this is a reference to `NAME-devel`, and `nil` otherwise.
    var withoutDevel: ModuleReference? {
        name.withoutDevel.map { ModuleReference(name: $0, stream: stream, version: version, context: context) }
    }
}

extension String {
    fileprivate static let develSuffix = "-devel"

    fileprivate var withoutDevel: String? {
        hasSuffix(Self.develSuffix) && count > Self.develSuffix.count ? String(dropLast(Self.develSuffix.count)) : nil
    }
}
