import ComposeModel
import ForeignText
import ImageModel

/// A table of packages, each with the reason why it is in the compose.
struct PackageTable: Sendable {
    struct Cause: Sendable {
        let name: String
        let link: String
    }

    struct Row: Sendable {
        let nevra: String
        /// The address of the page that shows why the package is in.
        let why: String
        let tree: String
        let reason: String
        /// The package that this one is there for.
        let cause: Cause?
        let size: String
        let module: String?
    }

    let caption: String
    let rows: [Row]
    /// The address of the search.
    let action: String
    /// The address of the comparison with another compose.
    let difference: String
    let next: String?

    /// - Parameters:
    ///   - root: The prefix of links.
    ///   - query: The search that the link to further packages keeps.
    init(_ caption: String, of compose: Int, _ page: LockFilePages.Page, root: String, query: String = "") {
        self.caption = caption
        action = "\(root)/compose/\(compose)/packages"
        difference = "\(root)/diff?to=\(compose)"
        next = page.next.map { "\(root)/compose/\(compose)/packages?\(query)after=\($0)" }
        let why = { (nevra: String) -> Cause? in
            guard let name = InstalledPackage(nevra: nevra, module: nil)?.name else { return nil }
            return Cause(name: name.shown(100), link: "\(root)/compose/\(compose)/why?package=\(name.percentEncoded)")
        }
        rows = page.packages.map { [action] package in
            Row(
                nevra: package.nevra.shown(300), why: why(package.nevra)?.link ?? action, tree: package.tree.shown(40),
                reason: package.why.shown(400), cause: package.reason.cause.flatMap(why), size: ShownNumber.size(package.size),
                module: package.module?.shown(100))
        }
    }
}
