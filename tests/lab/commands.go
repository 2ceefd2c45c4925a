// The command line: names, flags and help. What the commands do is in the file of each.
package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "lab",
		Short: "A cluster, its registries and a node's image pull, on loopback",
		Long: `A real Kubernetes control plane, what OpenShift adds for image pulls, three registries
and the kubelet's own way of pulling, all on 127.0.0.0/8, for tests and demonstrations.

  lab up --dir /tmp/lab            start, and print the line that sets KUBECONFIG
  lab pull --dir /tmp/lab NS POD   pull a pod's images as a node would
  lab down --dir /tmp/lab          stop, and leave nothing behind`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	// The Kubernetes libraries add flags of their own to every program.
	pflag.CommandLine.VisitAll(func(flag *pflag.Flag) { flag.Hidden = true })
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(upCommand(), downCommand(), setCommand(), runCommand(), pullCommand(), loginCommand(),
		pushCommand(), signCommand(), registryCommand(), oracleCommand(), superviseCommand(), providerCommand())
	return root
}

// dirFlag adds the flag every command needs: where the lab lives.
func dirFlag(command *cobra.Command, dir *string) {
	command.Flags().StringVar(dir, "dir", "", "directory of the lab (required)")
	_ = command.MarkFlagRequired("dir")
}

func upCommand() *cobra.Command {
	o := upOptions{}
	command := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Start a lab and wait until it is ready",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return up(o) },
	}
	dirFlag(command, &o.Dir)
	f := command.Flags()
	f.StringVar(&o.Provisioner, "provisioner", modeBound, "bound (4.16 and later), legacy (4.11 to 4.15), removed (no registry) or off (plain Kubernetes)")
	f.DurationVar(&o.Delay, "provision-delay", 0, "time between a service account's creation and the first write to it")
	f.StringVar(&o.Platform, "platform", platformNone, "what looks after the nodes' pull secret: standalone, hosted or managed (default: nothing does)")
	f.IntVar(&o.OwnerPID, "owner-pid", 0, "stop and clean up when this process is gone")
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "use this cluster: start the registries only")
	f.BoolVar(&o.NoRegistries, "no-registries", false, "start no registries")
	return command
}

func downCommand() *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:   "down --dir DIR",
		Short: "Stop a lab and remove all that it made",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return down(dir) },
	}
	dirFlag(command, &dir)
	return command
}

func setCommand() *cobra.Command {
	var dir, mode string
	var delay time.Duration
	command := &cobra.Command{
		Use:   "set --dir DIR [--provisioner MODE] [--provision-delay D]",
		Short: "Change the provisioner of a running lab",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			request := controlRequest{Op: "set"}
			if c.Flags().Changed("provisioner") {
				request.Provisioner = &mode
			}
			if c.Flags().Changed("provision-delay") {
				request.Delay = &delay
			}
			return set(dir, request)
		},
	}
	dirFlag(command, &dir)
	command.Flags().StringVar(&mode, "provisioner", "", "bound, legacy or removed")
	command.Flags().DurationVar(&delay, "provision-delay", 0, "time between a service account's creation and the first write to it")
	return command
}

func runCommand() *cobra.Command {
	var o runOptions
	command := &cobra.Command{
		Use:   "run --dir DIR NAMESPACE POD IMAGE",
		Short: "Make a pod anew that asks for an image, and its project when that is missing",
		Args:  cobra.ExactArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			o.namespace, o.pod, o.image = args[0], args[1], args[2]
			return runPod(o)
		},
	}
	dirFlag(command, &o.dir)
	command.Flags().StringVar(&o.account, "service-account", "default", "service account of the pod")
	return command
}

func pullCommand() *cobra.Command {
	var o pullOptions
	var many manyPods
	var labels map[string]string
	command := &cobra.Command{
		Use:   "pull --dir DIR (NAMESPACE POD | --all NAMESPACE ... | --stdin | --follow [NAMESPACE ...])",
		Short: "Pull the images of a pod as a node would, and say which credential did it",
		Long: `Makes the node's files of the cluster's objects, reads the pod and the secrets it names, builds the
kubelet's keyring and pulls each image's manifest with each credential in turn.
With --all, the pods of whole namespaces; with --stdin, those named by JSON lines {"namespace", "pod"}. Both print one JSON
line a pod, in the order of the names or of the lines.
With --follow, all pods that come, of all namespaces or of those that are named, until SIGTERM, SIGINT or the end of standard
input: one JSON line an attempt; a pull that failed is tried again after a second. The exit status is then 0.
Exit status: 0 all pulled, 1 not pulled, 2 no answer.`,
		Args: func(c *cobra.Command, args []string) error { return many.args(c, args) },
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case many.follow:
				return follow(o, labels, args)
			case len(labels) > 0:
				return misuse("--node-labels is for --follow: the other ways pull for each pod that is named")
			case many.all || many.stdin:
				return pullMany(o, many, args)
			}
			return pull(o, args[0], args[1])
		},
	}
	dirFlag(command, &o.dir)
	f := command.Flags()
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	f.BoolVar(&many.all, "all", false, "all pods of the namespaces, as JSON lines")
	f.BoolVar(&many.stdin, "stdin", false, "the pods of the JSON lines on standard input, as JSON lines")
	f.BoolVar(&many.follow, "follow", false, "pull for the pods that come, until the command is told to end, as JSON lines")
	command.MarkFlagsMutuallyExclusive("all", "stdin", "follow")
	f.StringToStringVar(&labels, "node-labels", nil, "with --follow: labels of the node beside the usual ones, k=v,...; pods with another nodeSelector are left alone")
	f.StringVar(&o.node.name, "node", "", "name of the node: it remembers its images and its last files (default: a new node each time)")
	f.BoolVar(&o.node.recheck, "recheck", false, "check the pod's credentials for images that are present, as the kubelet does from 1.35")
	f.BoolVar(&o.node.digestRefs, "digest-refs", false, "with --recheck: a pull returns repository and digest, as CRI-O does before 1.35.2 and 1.36.0, so no record is found")
	f.StringVar(&o.node.policy, "verification-policy", "", "with --recheck: the kubelet's imagePullCredentialsVerificationPolicy (default: that of the kubelet)")
	f.StringSliceVar(&o.node.allowList, "verification-allow-list", nil, "with --recheck: its preloadedImagesVerificationAllowlist, ENTRY,...")
	f.StringVar(&o.node.shortNames, "short-names", shortNamesPermissive, "permissive as OpenShift, or enforcing as CRI-O is elsewhere from 1.34: a name of several registries is refused")
	f.StringVar(&o.node.runtime, "runtime", runtimeCRIO, "cri-o or containerd: what pulls below the kubelet")
	f.StringVar(&o.node.providerConfig, "image-credential-provider-config", "", "the kubelet's option of this name, a file or a directory, instead of CRI-O's provider")
	f.StringVar(&o.node.providerBin, "image-credential-provider-bin-dir", "", "the kubelet's option of this name")
	f.StringVar(&o.node.proxy, "proxy", "", "URL of the proxy by which the node reaches registries")
	f.StringVar(&o.node.machine, "architecture", "", "the node's architecture, such as arm64 (default: that of this machine)")
	f.BoolVar(&o.node.whole, "whole", false, "pull the image's configuration and layers too, which containerd always does")
	f.Float32Var(&o.node.pullQPS, "pull-qps", 0, "the kubelet's limit of pulls per second: further ones fail with its own message (0: no limit)")
	f.BoolVar(&o.after.status, "status", false, "write the pod's status as the kubelet would")
	f.BoolVar(&o.after.again, "back-off", false, "ask again after a failed pull, so that its message is that of the back-off")
	return command
}

func loginCommand() *cobra.Command {
	o := loginOptions{}
	command := &cobra.Command{
		Use:   "login --dir DIR --registry NAME (--podman FILE | --docker FILE)",
		Short: "Write a registry account of the lab to an auth file, as podman or docker would",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return login(o) },
	}
	dirFlag(command, &o.dir)
	f := command.Flags()
	f.StringVar(&o.registry, "registry", "", "private, delegated or integrated (required)")
	f.StringVar(&o.account, "account", "", "user name of the account (default: the first)")
	f.StringVar(&o.path, "path", "", "repository path after the host, for an entry of one path only")
	f.StringVar(&o.serviceAccount, "service-account", "", "NAMESPACE/NAME whose token is used (integrated only)")
	f.StringVar(&o.podman, "podman", "", "auth.json to write or to add to")
	f.StringVar(&o.docker, "docker", "", "config.json to write or to add to")
	_ = command.MarkFlagRequired("registry")
	command.MarkFlagsOneRequired("podman", "docker")
	return command
}

func pushCommand() *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:   "push --dir DIR NAMESPACE/NAME:TAG",
		Short: "Push the lab's small image into the integrated registry",
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return push(dir, args[0]) },
	}
	dirFlag(command, &dir)
	return command
}

func signCommand() *cobra.Command {
	var dir string
	var o signRequest
	command := &cobra.Command{
		Use:   "sign --dir DIR --registry NAME REPOSITORY:TAG",
		Short: "Push an image to a registry and attach sigstore signatures of the lab's key",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Image = args[0]
			return sign(dir, o)
		},
	}
	dirFlag(command, &dir)
	f := command.Flags()
	f.StringVar(&o.Name, "registry", namePrivate, "private or delegated")
	f.StringArrayVar(&o.Architectures, "architecture", nil, "push an index with an image for this architecture (default: one image, for amd64)")
	f.StringVar(&o.Only, "only", "", "push one image without an index, for this architecture (default: amd64)")
	command.MarkFlagsMutuallyExclusive("architecture", "only")
	f.StringArrayVar(&o.Sign, "part", nil, "sign this part: image, or index and the names of architectures")
	f.StringArrayVar(&o.Bundle, "bundle", nil, "attach a referrer to this part, as cosign 3 does and no node reads")
	f.StringVar(&o.Identity, "identity", "", "image that the signatures are for (default: the pushed one)")
	f.StringVar(&o.Label, "label", "", "give the image this label, and so another digest")
	f.BoolVar(&o.OtherKey, "other-key", false, "sign with a key that is kept nowhere")
	return command
}

func registryCommand() *cobra.Command {
	var dir, redirect, trust string
	var expire, limit, quota int
	var asJSON bool
	var o registryChange
	command := &cobra.Command{
		Use:   "registry --dir DIR NAME",
		Short: "Say what a registry counted for each account, or change how it behaves",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Name = args[0]
			if c.Flags().Changed("expire") {
				o.Expire = &expire
			}
			if c.Flags().Changed("rate-limit") {
				o.RateLimit = &limit
			}
			if c.Flags().Changed("quota") {
				o.Quota = &quota
			}
			if c.Flags().Changed("redirect") {
				o.Redirect = &redirect
			}
			if c.Flags().Changed("trust") {
				o.Trust = &trust
			}
			return changeRegistry(dir, o, asJSON)
		},
	}
	dirFlag(command, &dir)
	f := command.Flags()
	f.BoolVar(&asJSON, "json", false, "print what was counted, also after a change")
	f.StringArrayVar(&o.Add, "add", nil, "make an account of this name, with a new password, and write it to lab.json")
	f.BoolVar(&o.Nasty, "nasty", false, "with --add: a password that breaks careless code")
	f.StringArrayVar(&o.Disable, "disable", nil, "refuse the logins of this account, and the tokens that it has")
	f.StringArrayVar(&o.Enable, "enable", nil, "accept this account again")
	f.IntVar(&expire, "expire", 0, "seconds after which tokens end, also those that were given before (0: 300)")
	f.BoolVar(&o.Close, "close", false, "close the ports: connections are refused")
	f.BoolVar(&o.Open, "open", false, "open the ports again")
	f.IntVar(&limit, "rate-limit", 0, "answer 429 after so many further requests (0: no limit)")
	f.IntVar(&quota, "quota", -1, "report so many remaining pulls of 100 in 6 hours with each manifest, in the headers of Docker Hub (negative: report none)")
	f.StringArrayVar(&o.Hide, "hide", nil, "answer 404 for this repository")
	f.StringArrayVar(&o.Show, "show", nil, "the opposite of --hide")
	f.StringArrayVar(&o.Deny, "deny", nil, "give no right to pull this repository")
	f.StringArrayVar(&o.Allow, "allow", nil, "the opposite of --deny")
	f.StringVar(&o.From, "from", "", "with the last four: for this account only (default: for all)")
	f.StringArrayVar(&o.Answer, "answer", nil, "answer something else to ping, token, manifests or blobs: PLACE=STATUS, PLACE=STATUS,html (the page of a proxy) or PLACE=damaged (empty: no more)")
	f.StringVar(&trust, "trust", "", "AUDIENCE=SUBJECT: also take tokens of this service account for this audience as passwords, as zot does (empty: no more)")
	f.StringVar(&redirect, "redirect", "", "answer 307 to this URL for what is below /v2/ (empty: no more)")
	return command
}

func oracleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "oracle",
		Short: "Answer, for auth files and images on stdin, which credential is used",
		Long: `Reads JSON lines {"auth_file": OBJECT-OR-STRING, "image": "..."} and writes for each one what the
kubelet's keyring and what the look-up of CRI-O, Podman and Skopeo would use.
Further questions: {"keys": [...]}, {"image": "...", "present": {...}} and {"configuration": {...}}, see README.md.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return oracle() },
	}
}

// providerCommand is run by the kubelet's code only.
func providerCommand() *cobra.Command {
	var o providerOptions
	command := &cobra.Command{
		Use:    "provider --root DIR --server URL --ca-cert FILE",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return provide(o, os.Stdin, os.Stdout) },
	}
	f := command.Flags()
	f.StringVar(&o.root, "root", "", "root of the node")
	f.StringVar(&o.server, "server", "", "URL of the API server")
	f.StringVar(&o.caCert, "ca-cert", "", "CA certificate of the API server")
	return command
}

func superviseCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "supervise",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return supervise() },
	}
}

// absolute makes a path independent of the working directory, which the supervisor does not share.
func absolute(path string) (string, error) {
	if path == "" {
		return "", misuse("an empty path")
	}
	return filepath.Abs(path)
}
