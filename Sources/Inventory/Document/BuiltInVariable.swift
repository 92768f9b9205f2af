/// A *built-in variable* is an environment variable with a meaning of its own. The names are those of
/// the DPDK CI container build. `odcs image generate` and the generated Makefile read them.
public enum BuiltInVariable: String, CaseIterable, Sendable {
    case onRHEL = "DPDK_CI_CONTAINERS_ON_RHEL"
    case failOnUnbuildable = "DPDK_CI_CONTAINERS_FAIL_ON_UNBUILDABLE"
    case onlyHostArchitecture = "DPDK_CI_CONTAINERS_ONLY_HOST_ARCH"
    case builderMode = "DPDK_CI_CONTAINERS_BUILDER_MODE"
    case noLatestTag = "DPDK_CI_CONTAINERS_NO_LATEST_TAG"
    case builderProgram = "DPDK_CI_CONTAINER_BUILDER_PROGRAM"
    case builderTag = "DPDK_CI_CONTAINERS_CONTAINER_BUILDER_TAG"
    case extraPushArguments = "DPDK_CI_CONTAINERS_EXTRA_PUSH_ARGS"
    case registry = "DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME"
    case extraScripts = "DPDK_CI_CONTAINERS_EXTRA_SCRIPTS_PATH"
    case contextDirectory = "DPDK_CI_CONTAINERS_CONTEXT_DIRECTORY"
    case dateTag = "DPDK_CI_CONTAINERS_DATE_TAG_OVERRIDE"

    /// The value if the variable is unset or empty, for a table.
    public var defaultText: String {
        switch self {
        case .onRHEL: "detected"
        case .failOnUnbuildable, .onlyHostArchitecture, .builderMode, .noLatestTag: "N"
        case .builderProgram: "podman"
        case .builderTag: "dpdk_ci_container_builder"
        case .registry: "localhost"
        case .contextDirectory: "container_context"
        case .extraPushArguments, .extraScripts, .dateTag: ""
        }
    }

    /// The values in words, for a table.
    public var valuesText: String {
        switch self {
        case .onRHEL, .failOnUnbuildable, .onlyHostArchitecture, .builderMode, .noLatestTag: "Y or N"
        case .builderProgram: "program"
        case .builderTag, .dateTag: "tag"
        case .extraPushArguments: "options"
        case .registry: "registry"
        case .extraScripts, .contextDirectory: "folder"
        }
    }

    public var description: String {
        switch self {
        case .onRHEL: "Whether this host is licensed RHEL: its label host=rhel. Images can require it."
        case .failOnUnbuildable: "Fail if an image cannot be built here. Otherwise it is left out and listed."
        case .onlyHostArchitecture: "Build for the platform of this host only."
        case .builderMode: "Build for the platform of this host only, and make no manifest lists."
        case .noLatestTag: "Do not set the tag latest."
        case .builderProgram: "The program that builds and pushes, with podman's options."
        case .builderTag: "The tag of the image that holds the generator itself."
        case .extraPushArguments: "More options for each push, for example --creds=USER:PASSWORD."
        case .registry: "The registry to push to. With localhost, images stay in local storage."
        case .extraScripts: "A folder that is copied to /scripts in each image."
        case .contextDirectory: "The folder to write."
        case .dateTag: "The tag that stands for the date."
        }
    }
}
