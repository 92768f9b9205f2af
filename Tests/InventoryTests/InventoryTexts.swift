import Testing

/// Inventories that the reader and the schema must accept or refuse.
enum InventoryTexts {
    static let whole = """
        parameters:
          tools:
            env: TOOLS
            values: folder
            description: A folder.
          wanted: {env: WANTED, values: [N, Y], default: N}
          jobs: {env: JOBS, values: number, default: "4", argument: JOBS}
          url: {env: URL, values: url, default: "https://example.org/x"}
          label: {env: LABEL}
        defaults:
          platforms: [linux/amd64, linux/arm64, linux/arm/v7]
          disk: 10 GB
        images:
          base:
            containerfile: base/Containerfile
            context: base
            requires: {host: rhel}
            caches: {ccache: /var/cache/ccache}
            secrets: [token]
          team/web:
            template: web
            platforms: [linux/amd64, linux/arm/v7]
            packages: [nginx, perl-Foo+1.2]
            variables: {release: "42", debug: true, parts: [a, b]}
            parents: {BASE: base}
            arguments: {COLOR: "red $x 'y' #z"}
            tags:
              platform: "web-{platform}"
              final: [latest, "{date}", stable]
            requires: [tools, {host: rhel}]
            when: wanted
            memory: 512MB
            network: host
            content:
              source: {type: tag, source: f26, packages: [ed]}
            update: true

        """

    /// A mistake, and the reader's message about it.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let text: String
        let message: String
        /// Whether a schema can see the mistake. It cannot compare names in different places.
        var isSeenBySchema = true

        var testDescription: String { message }
    }

    /// An image with more keys.
    private static func image(_ lines: String) -> String {
        "images:\n  a:\n    template: t\n    platforms: [linux/amd64]\n" + lines.split(separator: "\n").map { "    \($0)\n" }.joined()
    }

    private static func parameter(_ lines: String) -> String {
        "parameters:\n  p:\n" + lines.split(separator: "\n").map { "    \($0)\n" }.joined() + image("")
    }

    static let mistakes: [Mistake] = [
        Mistake(text: "parameters: {}\n", message: "inventory.yaml:1: images: an inventory needs the key images"),
        Mistake(text: "images: {}\n", message: "inventory.yaml:1: images: must have at least one image"),
        Mistake(text: "image: {}\n" + image(""), message: "inventory.yaml:1: image: there is no such key; did you mean images?"),
        Mistake(
            text: "images:\n  A: {}\n",
            message:
                "inventory.yaml:2: images.A: the key must be the name of an image: lower-case letters and digits, separated by . _ - or /"),
        Mistake(
            text: "images:\n  a/../b: {}\n",
            message:
                "inventory.yaml:2: images.a/../b: the key must be the name of an image: lower-case letters and digits, separated by . _ - or /"
        ),
        Mistake(text: "images:\n  a: []\n", message: "inventory.yaml:2: images.a: must be a mapping of keys, not a list"),
        Mistake(
            text: "images:\n  a: {template: t}\n", message: "inventory.yaml:2: images.a.platforms: an image needs platforms",
            isSeenBySchema: false),
        Mistake(
            text: "images:\n  a: {platforms: [linux/amd64]}\n",
            message: "inventory.yaml:2: images.a.template: an image needs either template or containerfile"),
        Mistake(
            text: image("containerfile: c"), message: "inventory.yaml:3: images.a.template: an image needs either template or containerfile"
        ),
        Mistake(text: image("package: []"), message: "inventory.yaml:5: images.a.package: there is no such key; did you mean packages?"),
        Mistake(
            text: image("packages: gcc"), message: "inventory.yaml:5: images.a.packages: must be a list of names of packages, not \"gcc\""),
        Mistake(
            text: image("packages: [gcc, \"x; reboot\"]"),
            message: "inventory.yaml:5: images.a.packages: must be a list of names of packages, not \"x; reboot\""),
        Mistake(text: image("packages: [gcc, gcc]"), message: "inventory.yaml:5: images.a.packages: has \"gcc\" twice"),
        Mistake(
            text: image("packages: [1.10]"),
            message:
                "inventory.yaml:5: images.a.packages: must be a list of names of packages, and YAML reads 1.10 as another value. Write it in quotes: \"1.10\""
        ),
        Mistake(
            text: image("context: ../x"),
            message: "inventory.yaml:5: images.a.context: must be a path inside of the inventory, not \"../x\""),
        Mistake(
            text: image("context: /etc"),
            message: "inventory.yaml:5: images.a.context: must be a path inside of the inventory, not \"/etc\""),
        Mistake(text: image("network: all"), message: "inventory.yaml:5: images.a.network: must be none or host, not \"all\""),
        Mistake(
            text: image("disk: 10"),
            message:
                "inventory.yaml:5: images.a.disk: must be a size like 10 GB, and YAML reads 10 as another value. Write it in quotes: \"10\""
        ),
        Mistake(text: image("memory: 10 GiB"), message: "inventory.yaml:5: images.a.memory: must be a size like 10 GB, not \"10 GiB\""),
        Mistake(text: image("update: \"yes\""), message: "inventory.yaml:5: images.a.update: must be true or false, not \"yes\""),
        Mistake(
            text: image("caches: {c: \"/x,rw\"}"),
            message: "inventory.yaml:5: images.a.caches.c: must be an absolute path of letters, digits and . _ + - /, not \"/x,rw\""),
        Mistake(
            text: image("secrets: [\"a b\"]"), message: "inventory.yaml:5: images.a.secrets: must be a list of ids of secrets, not \"a b\""),
        Mistake(
            text: image("variables: {platform: x}"),
            message: "inventory.yaml:5: images.a.variables.platform: templates have a value platform already. Choose another name"),
        Mistake(
            text: image("arguments: {\"A B\": x}"),
            message: "inventory.yaml:5: images.a.arguments.A B: the key must be the name of a build argument"),
        Mistake(text: image("arguments: {A: \"x\\ny\"}"), message: "inventory.yaml:5: images.a.arguments.A: must be a text on one line"),
        Mistake(
            text: image("tags: {platform: \"{date}\"}"),
            message:
                "inventory.yaml:5: images.a.tags.platform: must be a tag with {platform}, and with {date} if it changes every day, not \"{date}\""
        ),
        Mistake(
            text: image("tags: {final: [latest]}"),
            message: "inventory.yaml:5: images.a.tags.final: needs a tag besides latest, which can be switched off"),
        Mistake(
            text: image("tags: {final: [\"{time}\"]}"),
            message: "inventory.yaml:5: images.a.tags.final: must be a list of tags, with {date} if they change every day, not \"{time}\""),
        Mistake(
            text: image("content: {packages: [ed]}"),
            message: "inventory.yaml:5: images.a.content: must be a compose request with the mapping source"),
        Mistake(
            text: image("content: {source: {source: f26}}"),
            message:
                "inventory.yaml:5: images.a.content.source.type: must be one of tag, module, repo, pulp, raw_config, build, pungi_compose"),
        Mistake(
            text: image("content: {source: {type: tag, pakages: [ed]}}"),
            message: "inventory.yaml:5: images.a.content.source.pakages: there is no such key; did you mean packages?"),
        Mistake(
            text: image("content: {source: {type: tag}, seconds_to_live: long}"),
            message: "inventory.yaml:5: images.a.content.seconds_to_live: must be a whole number, not \"long\""),
        Mistake(
            text: image("requires: [other]"), message: "inventory.yaml:5: images.a.requires: there is no parameter \"other\"",
            isSeenBySchema: false),
        Mistake(
            text: image("requires: {host: [x]}"),
            message: "inventory.yaml:5: images.a.requires.host: must be the value of a label, not a list"),
        Mistake(
            text: image("when: other"), message: "inventory.yaml:5: images.a.when: there is no parameter \"other\"", isSeenBySchema: false),
        Mistake(
            text: image("parents: {BASE: b}"), message: "inventory.yaml:3: images.a.parents.BASE: there is no image \"b\"; did you mean a?",
            isSeenBySchema: false),
        Mistake(
            text: image("parents: {BASE: a}"), message: "inventory.yaml:3: images.a.parents: images are built on each other: a → a",
            isSeenBySchema: false),
        Mistake(
            text: "images:\n  a:\n    template: t\n    platforms: [amd64]\n",
            message: "inventory.yaml:4: images.a.platforms: must be a list of platforms like linux/amd64, not \"amd64\""),
        Mistake(
            text: parameter("default: x"),
            message: "inventory.yaml:3: parameters.p.env: a parameter needs the name of its environment variable"),
        Mistake(
            text: parameter("env: a b"),
            message: "inventory.yaml:3: parameters.p.env: must be the name of an environment variable, like DPDK_URL, not \"a b\""),
        Mistake(
            text: parameter("env: DPDK_CI_CONTAINERS_BUILDER_MODE"),
            message: "inventory.yaml:3: parameters.p.env: DPDK_CI_CONTAINERS_BUILDER_MODE has a meaning of its own", isSeenBySchema: false),
        Mistake(
            text: parameter("env: A\nvalues: date"),
            message: "inventory.yaml:4: parameters.p.values: must be text, number, url, folder, or a list of texts, not \"date\""),
        Mistake(
            text: parameter("env: A\nvalues: [Y, N]\ndefault: Z"),
            message: "inventory.yaml:5: parameters.p.default: must be Y or N, not \"Z\"", isSeenBySchema: false),
        Mistake(
            text: parameter("env: A\nvalues: number\ndefault: \"0\""),
            message: "inventory.yaml:5: parameters.p.default: must be a whole number of at least 1, not \"0\"", isSeenBySchema: false),
        Mistake(
            text: parameter("env: A\nvalues: url\ndefault: dpdk.org"),
            message: "inventory.yaml:5: parameters.p.default: must be an address like https://example.org/dpdk, not \"dpdk.org\"",
            isSeenBySchema: false),
        Mistake(
            text: parameter("env: A\nargument: \"X=1\""),
            message: "inventory.yaml:4: parameters.p.argument: must be the name of a build argument, not \"X=1\""),
    ]
}
