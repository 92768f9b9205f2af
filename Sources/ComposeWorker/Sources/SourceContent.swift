/// The content of a source, on this host.
enum SourceContent: Sendable {
    /// Packages. ``ComposePipeline`` chooses those that the request asks for, and writes their
    /// repositories.
    case packages(PackageSet)
    /// A tree that needs no choice of packages. Its writer makes all of it.
    case tree(any TreeWriter)
}
