public import ComposeModel
import Glibc
public import SystemPackage

/// What may be read: the directories and the address prefixes that the configuration allows.
///
/// ``authorize(_:)`` answers by the text of a location alone, so the frontend can ask it too. That symbolic links do not lead out of an allowed
/// directory is seen to when a file is opened, by ``ConfinedPath``; that redirects do not lead to other addresses, by ``HTTPTransfer``.
public struct SourceAccess: Sendable {
    /// A directory below which everything may be read.
    struct Root: Sendable {
        /// As configured, which is how requests name it.
        let configured: FilePath
        /// Without symbolic links: what they pointed to when the service started.
        let resolved: FilePath
        /// Whether it is a Koji's tree: see ``ConfinedPath/hasVolumes``.
        var hasVolumes = false
    }

    /// A configured directory or prefix that cannot be meant; for the operator.
    public struct ConfigurationError: Error, CustomStringConvertible {
        public let description: String
    }

    public let allowedRoots: [FilePath]
    public let allowedURLPrefixes: [String]
    private(set) var roots: [Root]
    let prefixes: [RepositoryURL]
    /// Addresses at which this service itself serves a directory of this host: what lies there is read without going through HTTP.
    private var published: [(prefix: RepositoryURL, directory: FilePath)] = []
    /// Addresses of packages that may be read where metadata leads to them, though no request can name a repository there; and where on this
    /// host they lie, if they do.
    private var packageTrees: [(prefix: RepositoryURL, directory: Root?)] = []

    /// Resolves the symbolic links of the roots.
    ///
    /// Throws when a root is no absolute path of a directory that exists, or a prefix is no http or https address without user and query. A prefix
    /// allows the address itself and what lies below it: `https://h/a` allows `https://h/a/b`, but not `https://h/ab`.
    public init(allowedRoots: [FilePath], allowedURLPrefixes: [String]) throws(ConfigurationError) {
        self.allowedRoots = allowedRoots
        self.allowedURLPrefixes = allowedURLPrefixes
        var roots: [Root] = []
        for path in allowedRoots { roots.append(try Self.root(path)) }
        // The widest first: a link between two allowed directories of which one contains the other leads nowhere else.
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

    /// The same access, and besides to the composes that are served at `address` from `directory`.
    ///
    /// Throws when the address is no http or https address without user and query.
    public func publishing(_ directory: FilePath, at address: String) throws(ConfigurationError) -> SourceAccess {
        var access = self
        do {
            access.published.append((try RepositoryURL(address), directory))
        } catch {
            throw ConfigurationError(description: "The address of a directory of composes cannot be used: \(error.reason).")
        }
        // The longest first: one of them may be below another.
        access.published.sort { $0.prefix.names.count > $1.prefix.names.count }
        return access
    }

    /// The same access to the tree of a Koji, and to its volumes: an allowed directory may have symbolic links in `vol/`.
    public var followingVolumes: SourceAccess {
        var access = self
        for index in access.roots.indices { access.roots[index].hasVolumes = true }
        return access
    }

    /// The same access, and besides to the packages below `address`, for repositories whose metadata refers to them (`xml:base`).
    ///
    /// - Parameter directory: where what is served at `address` lies on this host, from which it is then read; `nil`: over HTTP.
    ///
    /// Throws when the address is no http or https address without user and query, or the directory does not exist.
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

    /// Throws `.sourceNotUsable` when `location` may not be read, and says what could be asked for instead.
    public func authorize(_ location: RepositoryLocation) throws(ComposeFailure) {
        switch location {
        case .directory(let path): if confine(path) == nil { throw refusal(of: location) }
        case .url(let url): if !allows(url), confine(url) == nil { throw refusal(of: location) }
        }
    }

    func allows(_ url: RepositoryURL) -> Bool { prefixes.contains { url.isWithin($0) } }

    /// Whether a file at `url` may be read: below an allowed address, or where packages may be referred to.
    func allowsFile(_ url: RepositoryURL) -> Bool { allows(url) || packageTrees.contains { url.isWithin($0.prefix) } }

    /// Where on this host the packages lie that metadata refers to at `url`; `nil` for those that do not lie here.
    func referredPackages(_ url: RepositoryURL) -> ConfinedPath? {
        for tree in packageTrees where url.isWithin(tree.prefix) {
            guard let root = tree.directory else { continue }
            return ConfinedPath(
                root: root.resolved, relative: url.names.dropFirst(tree.prefix.names.count).joined(separator: "/"),
                hasVolumes: root.hasVolumes)
        }
        return nil
    }

    /// Splits `path` into an allowed root and the rest; `nil` where it is below none.
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

    /// Where this service keeps what it serves at `url` itself: below the directory of a compose, out of which no symbolic link leads. `nil` for what it
    /// does not serve.
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
            .sourceNotUsable, "The repository \(location) may not be read: \(why).\(otherKind) Otherwise its administrators can allow it.")
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
