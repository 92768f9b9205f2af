import Glibc
import SystemPackage

/// A program that nodes need on the host of the worker, and the package of Debian and Fedora that has
/// it.
enum RequiredProgram: String {
    case buildah, runc, newuidmap, newgidmap, unshare, setpriv
    /// Only nodes of farms with a connection of ssh need it.
    case ssh

    /// The programs that the local node starts.
    static let local: [RequiredProgram] = [.buildah, .runc, .newuidmap, .newgidmap, .unshare, .setpriv]

    private var packages: (debian: String, fedora: String) {
        switch self {
        case .buildah: ("buildah", "buildah")
        case .runc: ("runc", "runc")
        case .newuidmap, .newgidmap: ("uidmap", "shadow-utils")
        case .unshare, .setpriv: ("util-linux", "util-linux")
        case .ssh: ("openssh-client", "openssh-clients")
        }
    }

    /// Returns those of the programs that are not installed.
    static func missing(
        _ programs: [RequiredProgram] = local, in path: String = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ) -> [RequiredProgram] {
        programs.filter { program in !path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 } }
    }

    /// The failure of a node without the program.
    var failure: NodeFailure {
        NodeFailure(
            .node,
            "\(self) is not installed, which \(self == .ssh ? "nodes over ssh" : "builds of images") need. Install the package \(packages.debian) (Debian) or "
                + "\(packages.fedora) (Fedora).")
    }
}
