public import ComposeModel
import Glibc
public import SystemPackage

/// The directories and address prefixes that may be read according to the configuration.
///
/// ``authorize(_:)`` decides by the text of a location alone, so the frontend can call it too. When a
/// file is opened, ``ConfinedPath`` ensures that symbolic links do not lead out of an allowed
/// directory. ``HTTPTransfer`` ensures that redirects lead only to allowed addresses.
public struct SourceAccess: Sendable {
    /// An allowed directory. Everything below it may be read.
    struct Root: Sendable {
        /// The path as configured. Requests use this path.
        let configured: FilePath
        /// The path without symbolic links, as they were resolved when the service started.
        let resolved: FilePath
        /// Whether it is the file tree of a Koji instance, see ``ConfinedPath/hasVolumes``.
        var hasVolumes = false
    }

    /// An error for the operator: a configured directory or prefix cannot be used.
    public struct ConfigurationError: Error, CustomStringConvertible {
        public let description: String
    }

    public let allowedRoots: [FilePath]
    public let allowedURLPrefixes: [String]
    private(set) var roots: [Root]
    let prefixes: [RepositoryURL]
    /// Addresses at which this service itself serves a directory of this host. Files there are read from
    /// the directory, not over HTTP.
    private var published: [(prefix: RepositoryURL, directory: FilePath)] = []
    /// Addresses of packages that may be read if metadata refers to them. A request cannot name a
    /// repository at such an address.
    ///
    /// The directory is the place of the packages on this host, or `nil` if they are not on this host.
    private var packageTrees: [(prefix: RepositoryURL, directory: Root?)] = []

    /// Creates an access and resolves the symbolic links of the roots.
    ///
    /// Throws if a root is not the absolute path of an existing file or directory. Throws if a prefix is
    /// not an http or https address without user name, password and query.
    ///
    /// A prefix allows the address itself and all addresses below it: `https://h/a` allows `https://h/a/b`,
    /// but not `https://h/ab`.
    public init(allowedRoots: [FilePath], allowedURLPrefixes: [String]) throws(ConfigurationError) {
        self.allowedRoots = allowedRoots
        self.allowedURLPrefixes = allowedURLPrefixes
        var roots: [Root] = []
        for path in allowedRoots { roots.append(try Self.root(path)) }
        // The widest root comes first. If one allowed directory contains another, a link between the two then
        // stays within its root.
        self.roots = roots.sorted { $0.configured.components.count < $1.configured.components.count }
        var prefixes: [RepositoryURL] = []
        for text in allowedURLPrefixes {
            do {
                prefixes.append(try RepositoryURL(text))
            } catch {
                throw ConfigurationError(description: "An allowed address prefix cannot be used: \(error.reason).")
            }
        }
        self.prefixes = prefixes
    }

    /// Returns an access that also allows the composes that are served at `address` from `directory`.
    ///
    /// Throws if the address is not an http or https address without user name, password and query.
    public func publishing(_ directory: FilePath, at address: String) throws(ConfigurationError) -> SourceAccess {
        var access = self
        do {
            access.published.append((try RepositoryURL(address), directory))
        } catch {
            throw ConfigurationError(description: "The address of a directory of composes cannot be used: \(error.reason).")
        }
        // The longest prefix comes first, because one may lie below another.
        access.published.sort { $0.prefix.names.count > $1.prefix.names.count }
        return access
    }

    /// A copy of this access for the file tree of a Koji instance. Its allowed directories may have
    /// symbolic links to volumes in `vol/`.
    public var followingVolumes: SourceAccess {
        var access = self
        for index in access.roots.indices { access.roots[index].hasVolumes = true }
        return access
    }

    /// Returns an access that also allows the packages below `address`, if the metadata of a repository
    /// refers to them (`xml:base`).
    ///
    /// - Parameter directory: The directory of this host that is served at `address`. The packages are read
    ///   from there. If it is `nil`, they are read over HTTP.
    ///
    /// Throws if the address is not an http or https address without user name, password and query. Throws
    /// if the directory does not exist.
    public func followingReferences(to address: String, in directory: FilePath?) throws(ConfigurationError) -> SourceAccess {
        var access = self
        var root: Root? = if let directory { try Self.root(directory) } else { nil }
        root?.hasVolumes = true
        do {
            access.packageTrees.append((try RepositoryURL(address), root))
        } catch {
            throw ConfigurationError(description: "The address of packages cannot be used: \(error.reason).")
        }
        return access
    }

    /// Throws `.sourceNotUsable` if `location` may not be read. The message says what the user can request
    /// instead.
    public func authorize(_ location: RepositoryLocation) throws(ComposeFailure) {
        switch location {
        case .directory(let path): if confine(path) == nil { throw refusal(of: location) }
        case .url(let url): if !allows(url), confine(url) == nil { throw refusal(of: location) }
        }
    }

    func allows(_ url: RepositoryURL) -> Bool { prefixes.contains { url.isWithin($0) } }

    /// Returns whether a file at `url` may be read. It must be below an allowed address, or below an
    /// address of referenced packages.
    func allowsFile(_ url: RepositoryURL) -> Bool { allows(url) || packageTrees.contains { url.isWithin($0.prefix) } }

    /// Returns the path on this host of packages that metadata refers to at `url`, or `nil` if they are not
    /// on this host.
    func referredPackages(_ url: RepositoryURL) -> ConfinedPath? {
        for tree in packageTrees where url.isWithin(tree.prefix) {
            guard let root = tree.directory else { continue }
            return ConfinedPath(
                root: root.resolved, relative: url.names.dropFirst(tree.prefix.names.count).joined(separator: "/"),
                hasVolumes: root.hasVolumes)
        }
        return nil
    }

    /// Splits `path` into an allowed root and the rest. Returns `nil` if it is not below an allowed root.
    func confine(_ path: FilePath) -> ConfinedPath? {
        let path = path.lexicallyNormalized()
        for root in roots {
            for start in [root.configured, root.resolved] where path.starts(with: start) {
                var relative = path
                _ = relative.removePrefix(start)
                return ConfinedPath(root: root.resolved, relative: relative.string, hasVolumes: root.hasVolumes)
            }
        }
        return nil
    }

    /// Returns the path on this host of a file that this service itself serves at `url`. Returns `nil` if
    /// it does not serve the address.
    ///
    /// The root is the directory of the compose, so no symbolic link leads out of that directory.
    func confine(_ url: RepositoryURL) -> ConfinedPath? {
        guard let place = published.first(where: { url.isWithin($0.prefix) }) else { return nil }
        let names = url.names.dropFirst(place.prefix.names.count)
        guard let compose = names.first, ComposeLayout(directoryName: compose) != nil else { return nil }
        return ConfinedPath(root: place.directory.appending(compose), relative: names.dropFirst().joined(separator: "/"))
    }

    private func refusal(of location: RepositoryLocation) -> ComposeFailure {
        let kind: (this: String, isAllowed: Bool, rule: String, none: String) =
            switch location {
            case .directory:
                (
                    "directory", !roots.isEmpty, "repositories in local directories that its configuration lists",
                    "local directories at all"
                )
            case .url:
                (
                    "address", !prefixes.isEmpty, "repositories at addresses that its configuration lists",
                    published.first.map { "addresses but those of its own composes, \($0.prefix)/odcs-…" } ?? "addresses at all"
                )
            }
        let otherKind =
            switch location {
            case .directory: prefixes.isEmpty ? "" : " A repository that is also served over HTTP may be given by its address."
            case .url: roots.isEmpty ? "" : " A repository that also lies on this service's disks may be given by its path."
            }
        let why =
            kind.isAllowed
            ? "this service reads only \(kind.rule), and this \(kind.this) is not among them"
            : "the configuration of this service allows no \(kind.none)"
        return ComposeFailure(
            .sourceNotUsable, "The repository \(location) may not be read: \(why).\(otherKind) Otherwise its operator can allow it.")
    }

    private static func root(_ path: FilePath) throws(ConfigurationError) -> Root {
        guard path.isAbsolute else {
            throw ConfigurationError(description: "The allowed directory \(path) is not an absolute path.")
        }
        guard let resolved = realpath(path.string, nil) else {
            throw ConfigurationError(description: "The allowed directory \(path) cannot be used: \(Errno(rawValue: errno)).")
        }
        defer { free(resolved) }
        return Root(configured: path.lexicallyNormalized(), resolved: FilePath(platformString: resolved))
    }
}
