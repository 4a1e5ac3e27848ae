import { declareConformance } from './declare-conformance.ts';

declareConformance('container', 'btrfs');
